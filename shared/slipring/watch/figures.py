"""What the tables of one service say about its engine: asked at most every few seconds, bounded, ids only.

Both `/metrics` and `/health/engine` show these figures; neither waits longer than a second for the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import structlog

from slipring.fhir.kernel import Kernel
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.store import query, reading
from slipring.fhir.store.engine import UNAVAILABLE

_LOG = structlog.get_logger("slipring.watch")
_FRESH_SECONDS = 2.0  # several watchers share one look
_PATIENCE_SECONDS = 1.0
_MOST = 10_000  # rows counted of one kind; more is shown as this many
_MOST_LANES = 200

_ENGINE = f"""SELECT
  (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE NOT fanned_out LIMIT {_MOST}) o) AS outbox_waiting,
  (SELECT extract(epoch FROM $1 - created_at) FROM outbox WHERE NOT fanned_out ORDER BY id LIMIT 1) AS outbox_oldest,
  (SELECT count(*) FROM (SELECT 1 FROM timer LIMIT {_MOST}) t) AS timers_armed,
  (SELECT count(*) FROM (SELECT 1 FROM timer WHERE due_at <= $1 LIMIT {_MOST}) t) AS timers_due,
  (SELECT extract(epoch FROM $1 - min(due_at)) FROM timer WHERE due_at <= $1) AS timer_oldest,
  (SELECT count(*) FROM timer WHERE kind = 'arrival') AS arrivals_owed"""

_LANES = f"""SELECT s.id, s.internal, s.status, s.failures, s.error, w.waiting, w.oldest, p.parked
  FROM subscription s,
  LATERAL (SELECT count(*) AS waiting, extract(epoch FROM $1 - min(event_at)) AS oldest FROM (SELECT event_at FROM delivery
    WHERE subscription = s.id AND state = 'waiting' ORDER BY number LIMIT {_MOST}) d) w,
  LATERAL (SELECT count(*) AS parked FROM (SELECT 1 FROM delivery
    WHERE subscription = s.id AND state = 'parked' LIMIT {_MOST}) d) p
  WHERE s.status <> 'off' ORDER BY w.oldest DESC NULLS LAST, s.id LIMIT {_MOST_LANES}"""

# Rows that no seal holds yet; what fell into a gap below the last seals is `slipring audit verify`'s to find.
_UNSEALED = f"""SELECT count(*) AS waiting, extract(epoch FROM $1 - min(at)) AS oldest FROM (SELECT at FROM audit
  WHERE id > coalesce((SELECT max(last) FROM (SELECT last FROM seal ORDER BY number DESC LIMIT 16) s), 0) LIMIT {_MOST}) a"""

_FOLLOWS = (
    "SELECT source, bool_and(filled) AS filled, extract(epoch FROM $1 - min(as_of)) AS age FROM follow GROUP BY source"
)


@dataclass(frozen=True, slots=True)
class Lane:
    """One subscription or following service, as its queue stands; `error` is a word of ours, no address."""

    id: str
    internal: bool
    status: str
    failures: int
    error: str
    waiting: int
    oldest_seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the tables. Ages in seconds, 0 when there is nothing."""

    outbox_waiting: int
    outbox_oldest_seconds: float
    timers_armed: int
    timers_due: int
    timer_oldest_seconds: float
    arrivals_owed: int  # followed resources whose handlers failed and are tried again
    lanes: tuple[Lane, ...]
    follows: Mapping[str, float | None]  # source -> age of its copies; None: not filled yet
    alarms: Mapping[str, int]
    without_deadline: Mapping[str, int]
    unsealed: int = 0
    unsealed_oldest_seconds: float = 0.0
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def oldest_undelivered_seconds(self) -> float:
        """The age of the oldest event that some subscriber has not got."""
        return max((lane.oldest_seconds for lane in self.lanes), default=0.0)

    @property
    def parked(self) -> int:
        """Deliveries put aside because of their content."""
        return sum(lane.parked for lane in self.lanes)

    @property
    def in_error(self) -> int:
        """Subscriptions whose endpoint fails."""
        return sum(lane.status == "error" for lane in self.lanes)


class Look:
    """The figures of one service, taken when asked for and shared for two seconds."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._last: Figures | None = None
        self._looking: asyncio.Task[Figures | None] | None = None

    async def figures(self) -> Figures | None:
        """The present figures; None when the database does not answer within a second."""
        if self._last is not None and time.monotonic() - self._last.taken_at < _FRESH_SECONDS:
            return self._last
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._take())
        self._last = await asyncio.shield(self._looking)
        return self._last

    async def _take(self) -> Figures | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._kernel.store.pool.acquire() as connection:
                return await self._taken(connection)
        except (*UNAVAILABLE, asyncpg.UndefinedTableError) as error:  # a timeout is an OSError
            _LOG.warning("no figures", service=self._kernel.service.name, kind=type(error).__name__)
            return None

    async def _taken(self, connection: Any) -> Figures:
        now: datetime = await connection.fetchval("SELECT clock_timestamp()")
        due = self._kernel.now() if self._kernel.fake_time else now
        row = await connection.fetchrow(_ENGINE, due)
        lanes = await connection.fetch(_LANES, due)
        follows = await connection.fetch(_FOLLOWS, due)
        unsealed = await connection.fetchrow(_UNSEALED, due)
        return Figures(
            unsealed=unsealed["waiting"],
            unsealed_oldest_seconds=_age(unsealed["oldest"]),
            outbox_waiting=row["outbox_waiting"],
            outbox_oldest_seconds=_age(row["outbox_oldest"]),
            timers_armed=row["timers_armed"],
            timers_due=row["timers_due"],
            timer_oldest_seconds=_age(row["timer_oldest"]),
            arrivals_owed=row["arrivals_owed"],
            lanes=tuple(
                Lane(
                    lane["id"],
                    lane["internal"],
                    lane["status"],
                    lane["failures"],
                    lane["error"],
                    lane["waiting"],
                    _age(lane["oldest"]),
                    lane["parked"],
                )
                for lane in lanes
            ),
            follows={
                row["source"]: _age(row["age"]) if row["filled"] and row["age"] is not None else None for row in follows
            },
            alarms={
                name: await reading.count(connection, criteria, source="") for name, criteria in self._alarms.items()
            },
            without_deadline={
                name: await _without_timer(connection, criteria) for name, criteria in self._deadlines.items()
            },
        )

    @cached_property
    def _alarms(self) -> dict[str, Criteria]:
        return {name: _criteria(text) for name, text in self._kernel.service.alarms.items()}

    @cached_property
    def _deadlines(self) -> dict[str, Criteria]:
        return {name: _criteria(text) for name, text in self._kernel.service.deadlines.items()}


def _age(seconds: Any) -> float:
    return max(0.0, float(seconds or 0))


def _criteria(text: str) -> Criteria:
    resource_type, _, asked = text.partition("?")
    return parse(resource_type, parse_qsl(asked))


async def _without_timer(connection: Any, criteria: Criteria) -> int:
    """How many that match have no timer armed: each of them would be forgotten."""
    sql, arguments = query.count(criteria, source="")
    return int(await connection.fetchval(f"{sql} AND {query.NOT_ARMED}", *arguments))

"""The watchdog: what must have a deadline and has none gets one, and the alarm says so.

Deadlines are armed in the commit that makes them necessary, so none is ever missing. Should a fault, an old release or a
hand in the database leave one out after all, it is found here within seconds, and not by the patient.
"""

from __future__ import annotations

from functools import cached_property
from urllib.parse import parse_qsl

import structlog

from slipring.fhir.kernel import Kernel
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.store import query
from slipring.fhir.store.engine import lock_number

_LOG = structlog.get_logger("slipring.watchdog")
_MOST = 100  # in one look: repairing is work as any other
# One replica at a time; the key keeps what was armed a moment ago from being armed again.
_ARM = """INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id)
  SELECT 'timer', $1, subject, 'watchdog:' || subject, coalesce($3::timestamptz, clock_timestamp()), '{}', gen_random_uuid()::text
  FROM unnest($2::text[]) AS s(subject) ON CONFLICT (timer_key) WHERE timer_key <> '' DO NOTHING RETURNING subject"""


class Watchdog:
    """Looks after one service's deadlines."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def step(self) -> int:
        """Arm what is missing; how many were."""
        return sum([await self._look(name, criteria) for name, criteria in self._watched.items()])

    async def _look(self, name: str, criteria: Criteria) -> int:
        kernel = self._kernel
        sql, arguments = query.without_timer(criteria, most=_MOST)
        lock = lock_number("watchdog", kernel.store.schema)
        async with kernel.store.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
                return 0
            missing = [row["subject"] for row in await connection.fetch(sql, *arguments)]
            if not missing:
                return 0
            now = kernel.now() if kernel.fake_time else None
            armed = await connection.fetch(_ARM, kernel.service.repairs[name], missing, now)
        if armed:
            _LOG.error("deadline was missing", deadline=name, number=len(armed))
            kernel.meters.repaired(name, len(armed))
            kernel.store.armed.set()
        return len(armed)

    @cached_property
    def _watched(self) -> dict[str, Criteria]:
        found = {}
        for name in self._kernel.service.repairs:
            kind, _, asked = self._kernel.service.deadlines[name].partition("?")
            found[name] = parse(kind, parse_qsl(asked))
        return found

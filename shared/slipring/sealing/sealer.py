"""The sealer: every second the committed rows that no seal covers yet get one, in a chain signed by the service's key.

Ids come from a sequence and commit out of order, so "id > cursor" would miss rows. What is missing below the highest id
seen is remembered as a gap and looked into until no transaction can fill it any more. All state lies in the schema and
changes in the transaction that writes the seal: it may be killed at any moment, and any replica may go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.sealing.content import SEAL, Head, payload
from slipring.sealing.keys import ServiceKey, sealing_lock
from slipring.sealing.patients import note_patients
from slipring.sealing.tree import leaf, packed, root
from slipring.signing.seal import jws_sha256

_LOG = structlog.get_logger("slipring.sealer")
_POLL_SECONDS = 1.0
_MOST = 5000  # rows under one seal
STATE = "sealing"  # the mark that holds the highest id seen and the gaps below it
SKIP = "seals-skipped"  # the mark that a restore leaves: how many numbers must be left out
# A transaction draws its id a moment before the database knows that it writes.
_GRACE = timedelta(seconds=10)
_WRITES = frozenset({"create", "update", "delete", "refused"})

_STANDING = """SELECT clock_timestamp() AS now, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
    (SELECT value FROM mark WHERE name = $1) AS state, (SELECT value FROM mark WHERE name = $2) AS skip"""
# Asked after the rows were read: whoever drew an id below theirs and has not committed began before it.
_NEWEST = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_LAST = "SELECT number, jws, sealed_at FROM seal ORDER BY number DESC LIMIT 1"
_COLUMNS = "a.id, a.content_sha256, a.stored_sha256, a.interaction, a.resource, a.disclosed"
_NEW = f"SELECT {_COLUMNS} FROM audit a WHERE a.id > $1 ORDER BY a.id LIMIT $2"
_LATE = f"""SELECT {_COLUMNS} FROM unnest($1::bigint[], $2::bigint[]) AS g(low, high)
  JOIN audit a ON a.id BETWEEN g.low AND g.high ORDER BY a.id LIMIT $3"""
_INSERT = """INSERT INTO seal (number, sealed_at, skipped, rows, first, last, root, previous, jws, leaves)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
_KEEP_STATE = (
    """INSERT INTO mark (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value"""
)
# What an older release wrote says nothing of its version: that is added before the row is sealed.
_COMPLETE = """UPDATE audit a SET stored_sha256 = encode(sha256(convert_to(v.body, 'UTF8')), 'hex')
  FROM resource r JOIN version v ON v.key = r.key
  WHERE a.id = ANY($1::bigint[]) AND r.type = split_part(a.resource, '/', 1) AND r.id = split_part(a.resource, '/', 2)
    AND v.version::text = split_part(a.resource, '/', 4) AND r.source = ''
  RETURNING a.id, a.stored_sha256"""


@dataclass(slots=True)
class Gap:
    """Ids that were missing: `newest` is the first transaction that could not have drawn them when they were seen."""

    low: int
    high: int
    newest: int
    since: datetime


@dataclass(slots=True)
class Seen:
    """How far the rows have been looked through."""

    top: int = 0
    gaps: list[Gap] = field(default_factory=list)

    @classmethod
    def read(cls, text: str | None) -> Seen:
        """From the mark; nothing seen yet when there is none."""
        if text is None:
            return cls()
        tree: Any = json.loads(text)
        gaps = [Gap(low, high, newest, datetime.fromisoformat(since)) for low, high, newest, since in tree["gaps"]]
        return cls(tree["top"], gaps)

    def text(self) -> str:
        """As the mark keeps it."""
        gaps = [[gap.low, gap.high, gap.newest, gap.since.isoformat()] for gap in self.gaps]
        return json.dumps({"top": self.top, "gaps": gaps}, separators=(",", ":"))

    def after(self, ids: Sequence[int], now: datetime, oldest: int, newest: int) -> Seen:
        """Once these were found: gaps split where a row came in, new ones added, those given up that nobody can fill."""
        found = sorted(ids)
        open_gaps = [gap for gap in self.gaps if gap.newest >= oldest or now - gap.since < _GRACE]
        gaps = [part for gap in open_gaps for part in _without(gap, found)]
        top = self.top
        fresh = [number for number in found if number > self.top]
        if fresh:
            gaps += _without(Gap(self.top + 1, fresh[-1], newest, now), fresh)
            top = fresh[-1]
        return Seen(top, gaps)


def _without(gap: Gap, found: Sequence[int]) -> list[Gap]:
    parts, low = [], gap.low
    for number in found:
        if gap.low <= number <= gap.high:
            if number > low:
                parts.append(Gap(low, number - 1, gap.newest, gap.since))
            low = number + 1
    return [*parts, Gap(low, gap.high, gap.newest, gap.since)] if low <= gap.high else parts


class Sealer:
    """Seals one schema; any number of replicas may try, one at a time does."""

    def __init__(self, pool: asyncpg.Pool, schema: str, key: ServiceKey) -> None:
        self._pool = pool
        self._lock = sealing_lock(schema)
        self._key = key
        self._last: Head | None = None  # as this process knows the chain: a seal that vanishes leaves a hole in it
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to seal."""
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        """Seal what is there, then end; what comes later is sealed at the next start."""
        if self._task is not None:
            await self.halt()
            try:
                await self.step()
            except UNAVAILABLE as error:  # a database that is away is sealed up to when it went
                _LOG.warning("left unsealed", kind=type(error).__name__)

    async def halt(self) -> None:
        """End without a word to the database."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def catch_up(self) -> None:
        """Seal everything that is committed now, waiting for another replica that is at it."""
        while await self.step(wait=True):
            pass

    async def step(self, *, wait: bool = False) -> bool:
        """One seal at most; True when there may be more to do at once."""
        async with self._pool.acquire() as connection, connection.transaction():
            lock = (
                "SELECT pg_advisory_xact_lock($1), true AS held"
                if wait
                else "SELECT pg_try_advisory_xact_lock($1) AS held"
            )
            if not (await connection.fetchrow(lock, self._lock))["held"]:
                return False
            return await self._seal(connection)

    async def _seal(self, connection: asyncpg.Connection) -> bool:
        await self._key.load(connection)
        standing = await connection.fetchrow(_STANDING, STATE, SKIP)
        seen = Seen.read(standing["state"])
        bounds = [gap.low for gap in seen.gaps], [gap.high for gap in seen.gaps]
        late = await connection.fetch(_LATE, *bounds, _MOST) if seen.gaps else []
        rows = [*late, *await connection.fetch(_NEW, seen.top, _MOST)]  # gaps lie below the top: by id
        if not rows:
            return False
        newest = await connection.fetchval(_NEWEST)
        told = await _completed(connection, rows)
        leaves = [
            (row["id"], leaf(row["id"], row["content_sha256"], told.get(row["id"], row["stored_sha256"])))
            for row in rows
        ]
        head = await self._head(connection)
        now, skipped = standing["now"], int(standing["skip"] or 0)
        made = Head(
            head.number + 1 + skipped, skipped, len(leaves), leaves[0][0], leaves[-1][0],
            root([digest for _, digest in leaves]).hex(), head.sha256,
        )  # fmt: skip
        jws = self._key.seal(payload(self._key.service, made), SEAL, now, head.sha256)
        await connection.execute(
            _INSERT, made.number, now, made.skipped, made.rows, made.first, made.last, made.root, made.previous, jws,
            packed(leaves),
        )  # fmt: skip
        await note_patients(connection, rows)
        if skipped:
            await connection.execute("DELETE FROM mark WHERE name = $1", SKIP)
        oldest = standing["oldest"] if len(late) < _MOST else 0  # else there may be more in the gaps
        after = seen.after([number for number, _ in leaves], now, oldest, newest)
        await connection.execute(_KEEP_STATE, STATE, after.text())
        self._last = Head(made.number, sha256=jws_sha256(jws))
        return len(rows) >= _MOST

    async def _head(self, connection: asyncpg.Connection) -> Head:
        """The end of the chain; where this process knows a later one, somebody has cut it off."""
        row = await connection.fetchrow(_LAST)
        found = Head(row["number"], sha256=jws_sha256(row["jws"])) if row else Head(0)
        if self._last is not None and (found.number < self._last.number):
            _LOG.error("seals were removed", schema_has=found.number, last_written=self._last.number)
            return self._last
        return found

    async def _loop(self) -> None:
        while True:
            try:
                while await self.step():
                    pass
            except Exception as error:
                _LOG.warning("sealer stumbled", kind=type(error).__name__)
            await asyncio.sleep(_POLL_SECONDS)


async def _completed(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> dict[int, str]:
    """The digests of the versions that some rows tell of without naming them."""
    bare = [
        row["id"]
        for row in rows
        if not row["stored_sha256"] and row["interaction"] in _WRITES and "/_history/" in row["resource"]
    ]
    if not bare:
        return {}
    return {row["id"]: row["stored_sha256"] for row in await connection.fetch(_COMPLETE, bare)}

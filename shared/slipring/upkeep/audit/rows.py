"""The audit rows against their seals: each leaf made again from the row as it stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from slipring.fhir.store.batch import Audit
from slipring.sealing.tree import leaf
from slipring.upkeep.audit.chain import Covered
from slipring.upkeep.audit.finding import SchemaReport

_MEMBERS = (
    *("client", "practitioner", "interaction", "resource", "request_id", "outcome", "body_sha256", "disclosed"),
    *("parameters", "stored_sha256", "purpose"),
)
_COLUMNS = f"id, at, content_sha256, {', '.join(_MEMBERS)}"
_ANYWHERE = f"SELECT {_COLUMNS} FROM audit WHERE id = ANY($1::bigint[])"
_AROUND = f"{_ANYWHERE} AND at BETWEEN $2 AND $3"  # most rows lie in the month of their seal
_OTHERS = f"""SELECT {_COLUMNS}, clock_timestamp() - at AS age FROM audit WHERE NOT id <@ $1::int8multirange ORDER BY id LIMIT $2"""
_UNCOUNTED = "SELECT count(*) FROM audit WHERE NOT id <@ $1::int8multirange"
_AT_ONCE = 5000
_AROUND_SEAL = timedelta(hours=1)
_MOST_NAMED = 1000
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stray:
    """A row that is not where it should be, or a place whose row is not there."""

    schema: str
    id: int
    content_sha256: str = ""
    stored_sha256: str = ""
    leaf: bytes = b""


class Spans:
    """Whole numbers as runs: ids of one seal after the other make few of them."""

    def __init__(self) -> None:
        self._low: list[int] = []
        self._high: list[int] = []

    def add(self, number: int) -> bool:
        """Take one in; False when it was there."""
        at = bisect_left(self._high, number)
        if at < len(self._low) and self._low[at] <= number:
            return False
        joins_left = at > 0 and self._high[at - 1] == number - 1
        joins_right = at < len(self._low) and self._low[at] == number + 1
        if joins_left and joins_right:
            self._high[at - 1] = self._high[at]
            del self._low[at], self._high[at]
        elif joins_left:
            self._high[at - 1] = number
        elif joins_right:
            self._low[at] = number
        else:
            self._low.insert(at, number)
            self._high.insert(at, number)
        return True

    @property
    def highest(self) -> int:
        """The highest number; 0 when there is none."""
        return self._high[-1] if self._high else 0

    def ranges(self) -> list[asyncpg.Range[int]]:
        """As PostgreSQL takes them."""
        return [asyncpg.Range(low, high + 1) for low, high in zip(self._low, self._high, strict=True)]


@dataclass(slots=True)
class Rows:
    """Looks at the rows of one schema; strays are collected, so that a row that was moved can be told from a new one."""

    connection: asyncpg.Connection
    report: SchemaReport
    tell: Callable[[int], None]
    spans: Spans = field(default_factory=Spans)
    places: list[Stray] = field(default_factory=list)  # sealed ids whose row is gone or another
    strangers: list[Stray] = field(default_factory=list)  # rows that are not what is sealed at their id
    _waiting: list[tuple[int, bytes, Covered]] = field(default_factory=list)
    _latest: datetime | None = None  # the latest time of any row so far

    async def take(self, covered: Covered) -> None:
        """Look at the rows of one seal, together with those of others."""
        for number, digest in covered.leaves:
            if not self.spans.add(number):
                self.report.found("row-twice", f"audit {number}", f"seal {covered.number}")
            self._waiting.append((number, digest, covered))
        if len(self._waiting) >= _AT_ONCE:
            await self.flush()

    async def flush(self) -> None:
        """Look at the rows that wait."""
        waiting, self._waiting = self._waiting, []
        rows = await self._read(waiting)
        latest = self._latest
        for number, digest, covered in waiting:
            row = rows.get(number)
            about = f"audit {number}"
            if row is None:
                self.report.found("row-missing", about, f"seal {covered.number}")
                self.places.append(Stray(self.report.schema, number, leaf=digest))
                continue
            self.report.rows += 1
            self._judge(row, digest, covered)
            if covered.at is not None:
                latest = self._dated(row, covered.at, latest)
        self._latest = latest
        self.tell(self.report.rows)

    async def _read(self, waiting: Sequence[tuple[int, bytes, Covered]]) -> dict[int, Any]:
        moments = [covered.at for _, _, covered in waiting if covered.at is not None]
        ids = [number for number, _, _ in waiting]
        rows = {}
        if moments:
            bounds = min(moments) - _AROUND_SEAL, max(moments) + _AROUND_SEAL
            rows = {row["id"]: row for row in await self.connection.fetch(_AROUND, ids, *bounds)}
        elsewhere = [number for number in ids if number not in rows]
        if elsewhere:
            rows |= {row["id"]: row for row in await self.connection.fetch(_ANYWHERE, elsewhere)}
        return rows

    def _judge(self, row: Any, digest: bytes, covered: Covered) -> None:
        content = content_of(row)
        kept = leaf(row["id"], row["content_sha256"], row["stored_sha256"])
        if kept == digest and content == row["content_sha256"]:
            return
        about, schema = f"audit {row['id']}", self.report.schema
        if kept == digest:
            self.report.found("row-changed", about, f"seal {covered.number}: one of {', '.join(('at', *_MEMBERS))}")
        elif leaf(row["id"], content, row["stored_sha256"]) == digest:
            self.report.found("row-changed", about, f"seal {covered.number}: content_sha256")
        else:
            self.report.found("row-changed", about, f"seal {covered.number}: the row with its hashes")
            self.places.append(Stray(schema, row["id"], leaf=digest))
            self.strangers.append(Stray(schema, row["id"], row["content_sha256"], row["stored_sha256"]))

    def _dated(self, row: Any, sealed_at: datetime, latest: datetime | None) -> datetime | None:
        at, about = row["at"], f"audit {row['id']}"
        if at > sealed_at + _CLOCK_TOLERANCE:
            self.report.found("row-dated-ahead", about, f"{(at - sealed_at).total_seconds():.0f} s")
            return latest
        if latest is not None and at < latest - _CLOCK_TOLERANCE:
            self.report.found("row-dated-back", about, f"{(latest - at).total_seconds():.0f} s")
        return at if latest is None or at > latest else latest

    async def unsealed(self, sealed_within: timedelta) -> None:
        """The rows that no seal covers: the last seconds' wait for theirs, others do not belong here."""
        ranges = self.spans.ranges()
        self.report.unsealed = await self.connection.fetchval(_UNCOUNTED, ranges)
        for row in await self.connection.fetch(_OTHERS, ranges, _MOST_NAMED):
            about = f"audit {row['id']}"
            late = row["age"] > sealed_within
            if late and row["id"] <= self.spans.highest:
                self.report.found("row-added", about)
                self.strangers.append(Stray(self.report.schema, row["id"], row["content_sha256"], row["stored_sha256"]))
            elif content_of(row) != row["content_sha256"]:
                self.report.found("row-hash", about)
            elif late:
                self.report.found("row-unsealed", about, f"{row['age'].total_seconds():.0f} s")
                self.strangers.append(Stray(self.report.schema, row["id"], row["content_sha256"], row["stored_sha256"]))


def content_of(row: Any) -> str:
    """The row's own hash made again from its columns."""
    names = (
        *("client", "practitioner", "interaction", "resource", "request_id", "outcome", "body_sha256"),
        "disclosed",
    )
    members = {name: row[name] for name in (*names, "parameters", "purpose")}
    return Audit(**members).content_sha256(row["at"])


def moved(places: Sequence[Stray], strangers: Sequence[Stray]) -> Iterable[tuple[Stray, Stray]]:
    """Which row stands elsewhere: (its place, where it is now); looked for among the first thousand of each."""
    for place in places[:_MOST_NAMED]:
        for stranger in strangers[:_MOST_NAMED]:
            if leaf(place.id, stranger.content_sha256, stranger.stored_sha256) == place.leaf:
                yield place, stranger

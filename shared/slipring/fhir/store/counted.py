"""What indicators count, read in bulk: groups of like members with their sums, and the members of some of the groups.

A member is the row that states it; remarks of other records on it are joined to it by its name. Remarks that say something
are few, and so are members of which several records tell: both are looked up from their side and taken out of the groups
of all others, which are read from an index alone. A row with a remark is known there by its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from slipring.fhir.store.reading import Reader
from slipring.qc.indicators.asked import Asked, Member
from slipring.qc.indicators.score import Group

_SAID = """said AS MATERIALIZED (SELECT member, string_agg(DISTINCT marks, ' ' ORDER BY marks) AS marks,
    sum(first) AS first, sum(second) AS second FROM counted WHERE population = $1 AND remark AND marks <> '' GROUP BY member)"""
_SCANNER = """(c.scanner = ${n} OR EXISTS (SELECT 1 FROM counted s WHERE s.population = $1 AND s.member = c.member
  AND s.remark AND s.scanner = ${n}))"""
_OVERTAKEN = """EXISTS (SELECT 1 FROM counted l WHERE l.population = $1 AND l.member = c.member AND NOT l.remark
  AND l.at < $3 AND (l.at, l.key) > (c.at, c.key))"""
_SEVERAL = (
    """several AS MATERIALIZED (SELECT member FROM counted WHERE population = $1 GROUP BY member HAVING count(*) > 1)"""
)
_OF_ITS_OWN = """SELECT {told} FROM {few} s CROSS JOIN LATERAL
    (SELECT c.* FROM counted c WHERE {within} AND c.member = s.member OFFSET 0) c"""
_SPAN = "date_trunc({per}, c.at AT TIME ZONE {zone})"


class _Statement:
    """The parts of a statement on one population, with its arguments; what is not asked for costs nothing."""

    def __init__(self, asked: Asked) -> None:
        self.arguments: list[object] = [asked.population, asked.start, asked.end]
        within = ["c.population = $1 AND NOT c.remark AND c.at >= $2 AND c.at < $3"]
        if asked.scanner:
            within.append(_SCANNER.replace("{n}", self.place(asked.scanner)[1:]))
        if asked.requesters is not None:
            within.append(f"c.requester = ANY({self.place(list(asked.requesters))}::text[])")
        if asked.system:
            within.append(f"c.system = {self.place(asked.system)}")
        self.every = " AND ".join(within)
        self.newest = asked.newest
        self.within = f"{self.every} AND NOT {_OVERTAKEN}" if asked.newest else self.every

    def place(self, value: object) -> str:
        """The placeholder of one more argument."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    @property
    def few(self) -> str:
        """`noted`: members with remarks. `overtaken`: records of which a later one on the same member counts instead."""
        noted = _OF_ITS_OWN.format(
            told="c.*, s.marks AS remarks, s.first AS s_first, s.second AS s_second", few="said", within=self.within
        )
        overtaken = _OF_ITS_OWN.format(told="c.*", few="several", within=f"{self.every} AND {_OVERTAKEN}")
        more = f", {_SEVERAL}, overtaken AS MATERIALIZED ({overtaken})" if self.newest else ""
        return f"{_SAID}, noted AS MATERIALIZED ({noted}){more}"

    def columns(self, bounds: Sequence[float], per: str, zone: ZoneInfo) -> str:
        """What is told of a group: how many do not exceed each bound, and of which span they are."""
        span = _SPAN.format(per=self.place(per), zone=self.place(zone.key)) if per else "NULL::timestamp"
        within = [f"count(*) FILTER (WHERE c.value <= {self.place(one)}::float8)" for one in bounds]
        sums = "count(*) AS n, sum(c.first) AS first, sum(c.second) AS second"
        return f"c.value IS NOT NULL AS valued, {span} AS span, {sums}, ARRAY[{', '.join(within)}]::bigint[] AS within"

    def below(self, bounds: Sequence[float]) -> str:
        """How many of the bounds the value of a member does not exceed."""
        if not bounds:
            return "0"
        return " + ".join(f"(c.value IS NOT NULL AND c.value <= {self.place(one)}::float8)::int" for one in bounds)


@dataclass(frozen=True, slots=True)
class CountedRows:
    """Implements `slipring.qc.indicators.asked.Counting` on one schema."""

    reader: Reader
    zone: ZoneInfo

    async def groups(self, asked: Asked, bounds: Sequence[float] = (), per: str = "") -> list[Group]:
        """The members in groups; by part of the period as well where `per` says which."""
        one = _Statement(asked)
        columns = one.columns(bounds, per, self.zone)
        less = "".join(
            f" UNION ALL SELECT c.marks, '', -1, 0, 0, {columns} FROM {few} c GROUP BY c.marks, valued, span"
            for few in ("noted", "overtaken")[: 1 + one.newest]
        )
        sql = f"""WITH {one.few}
          SELECT c.marks, '' AS remarks, 1 AS sign, 0 AS s_first, 0 AS s_second, {columns}
            FROM counted c WHERE {one.every} GROUP BY c.marks, valued, span {less}
          UNION ALL SELECT c.marks, c.remarks, 1, sum(c.s_first), sum(c.s_second), {columns}
            FROM noted c GROUP BY c.marks, c.remarks, valued, span"""
        sums: dict[tuple[str, str, bool, str], list[int]] = {}
        for row in await self.reader.fetch(sql, *one.arguments):
            told = [row["n"], row["first"] + row["s_first"], row["second"] + row["s_second"], *row["within"]]
            span = row["span"].date().isoformat() if row["span"] else ""
            held = sums.setdefault((row["marks"], row["remarks"], row["valued"], span), [0] * len(told))
            for place, value in enumerate(told):
                held[place] += row["sign"] * int(value)
        return [group for key, held in sorted(sums.items()) for group in _apart(*key, *held)]

    async def members(
        self, asked: Asked, of: Sequence[Group], bounds: Sequence[float] = (), *, limit: int, offset: int = 0
    ) -> list[Member]:
        """The members of some of the groups, the earliest first."""
        if not of:
            return []
        one = _Statement(asked)
        below = one.below(bounds)
        kinds = ", ".join(
            f"{one.place(values)}::{kind}[]"
            for kind, values in (
                ("text", [each.marks for each in of]),
                ("text", [each.remarks for each in of]),
                ("int", [each.below for each in of]),
                ("bool", [each.valued for each in of]),
            )
        )
        sql = f"""WITH {_SAID}
          SELECT c.member, c.at, c.value FROM counted c LEFT JOIN said s USING (member) WHERE {one.within}
            AND (c.marks, coalesce(s.marks, ''), {below}, c.value IS NOT NULL) IN (SELECT * FROM unnest({kinds}))
          ORDER BY c.at, c.member LIMIT {one.place(limit)} OFFSET {one.place(offset)}"""
        found = await self.reader.fetch(sql, *one.arguments)
        return [Member(row["member"], row["at"], row["value"]) for row in found]

    async def quantiles(self, asked: Asked, of: Sequence[Group], shares: Sequence[float]) -> list[float]:
        """Values at these shares of the way; empty where no member has any."""
        if not of:
            return []
        one = _Statement(asked)
        marks, remarks = (
            f"{one.place(values)}::text[]" for values in ([each.marks for each in of], [each.remarks for each in of])
        )
        sql = f"""WITH {one.few}
          SELECT percentile_cont({one.place(list(shares))}::float8[]) WITHIN GROUP (ORDER BY c.value) AS found
          FROM counted c LEFT JOIN (SELECT DISTINCT first, second, remarks FROM noted) s USING (first, second)
          WHERE {one.within} AND c.value IS NOT NULL
            AND (c.marks, coalesce(s.remarks, '')) IN (SELECT * FROM unnest({marks}, {remarks}))"""
        found = await self.reader.fetchval(sql, *one.arguments)
        return list(found or ())


def _apart(
    marks: str, remarks: str, valued: bool, span: str, count: int, first: int, second: int, *within: int
) -> list[Group]:
    """A group by how many of the bounds (rising) its members stay within; the sums of the digests go with the first part."""
    found: list[Group] = []
    numbers = [count, *reversed(within)]  # within none or more, within the highest, ..., within all
    for below, (more, rest) in enumerate(zip(numbers, [*numbers[1:], 0], strict=True)):
        if more - rest:
            sums = (0, 0) if found else (first, second)
            found.append(Group(marks, remarks, below, valued, more - rest, *sums, span))
    return found

"""The parts of a statement on one population of what indicators count, with its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from slipring.fhir.store.summed import STEPS, Parts, is_summed, parts
from slipring.qc.indicators.asked import Asked

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
EACH = "c.population = $1 AND NOT c.remark"
_ALONE = "'' AS remarks, {sign} AS sign, 0 AS s_first, 0 AS s_second"


class Statement:
    """A statement in the making; what is not asked for costs nothing."""

    def __init__(self, asked: Asked, zone: ZoneInfo) -> None:
        self.asked, self.zone = asked, zone
        self.arguments: list[object] = [asked.population, asked.start, asked.end]
        within = [f"{EACH} AND c.at >= $2 AND c.at < $3"]
        if asked.scanner:
            within.append(_SCANNER.replace("{n}", self.place(asked.scanner)[1:]))
        if asked.requesters is not None:
            within.append(f"c.requester = ANY({self.place(list(asked.requesters))}::text[])")
        if asked.system:
            within.append(f"c.system = {self.place(asked.system)}")
        self.every = " AND ".join(within)
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
        more = f", {_SEVERAL}, overtaken AS MATERIALIZED ({overtaken})" if self.asked.newest else ""
        return f"{_SAID}, noted AS MATERIALIZED ({noted}){more}"

    def groups(self, bounds: Sequence[float], per: str) -> str:
        """All members in groups with `sign` 1, less those with remarks and those overtaken, and the former with their remarks."""
        span = (
            f"date_trunc({self.place(per)}, c.at AT TIME ZONE {self.place(self.zone.key)})"
            if per
            else "NULL::timestamp"
        )
        told = self._told(span, bounds)
        less = [
            f"SELECT c.marks, '', -1, 0, 0, {told} FROM {few} c GROUP BY c.marks, valued, span"
            for few in ("noted", "overtaken")[: 1 + self.asked.newest]
        ]
        noted = f"""SELECT c.marks, c.remarks, 1, sum(c.s_first), sum(c.s_second), {told}
            FROM noted c GROUP BY c.marks, c.remarks, valued, span"""
        if is_summed(self.asked, bounds, per):
            every = self._summed(bounds, per)
        else:
            every = [
                f"SELECT c.marks, {_ALONE.format(sign=1)}, {told} FROM counted c WHERE {self.every} GROUP BY c.marks, valued, span"
            ]
        return f"WITH {self.few} {' UNION ALL '.join([*every, *less, noted])}"

    def below(self, bounds: Sequence[float]) -> str:
        """How many of the bounds the value of a member does not exceed."""
        if not bounds:
            return "0"
        return " + ".join(f"(c.value IS NOT NULL AND c.value <= {self.place(one)}::float8)::int" for one in bounds)

    def _told(self, span: str, bounds: Sequence[float]) -> str:
        """What is told of a group of rows: how many do not exceed each bound, and of which span they are."""
        within = [f"count(*) FILTER (WHERE c.value <= {self.place(one)}::float8)" for one in bounds]
        sums = "count(*) AS n, sum(c.first) AS first, sum(c.second) AS second"
        return f"c.value IS NOT NULL AS valued, {span} AS span, {sums}, ARRAY[{', '.join(within)}]::bigint[] AS within"

    def _summed(self, bounds: Sequence[float], per: str) -> list[str]:
        """Months and days by their sums, and the rows beside them."""
        found = parts(self.asked, per, self.zone)
        steps = [f"coalesce(sum(s.members) FILTER (WHERE s.step <= {STEPS.index(one)}), 0)" for one in bounds]
        told = "s.step IS NOT NULL AS valued, r.span, sum(s.members), sum(s.first), sum(s.second)"
        sums = [
            f"""SELECT s.marks, {_ALONE.format(sign=sign)}, {told}, ARRAY[{", ".join(steps)}]::bigint[] FROM {summed}
            GROUP BY s.marks, valued, r.span"""
            for sign, summed in self.sums(found)
        ]
        beside = f"""SELECT c.marks, {_ALONE.format(sign=1)}, {self._told("r.span", bounds)}
            FROM {self.table(found.beside, "timestamptz")} JOIN counted c ON {EACH} AND c.at >= r.low AND c.at < r.high
            GROUP BY c.marks, valued, r.span"""
        return [beside, *sums]

    def sums(self, found: Parts) -> list[tuple[int, str]]:
        """The sums `s` of the parts `r` of a period, as far as it has such, with the sign they count by."""
        tables = (1, "counted_month", found.months), (1, "counted_sum", found.days), (-1, "counted_sum", found.less)
        joined = "JOIN {name} s ON s.population = $1 AND s.day >= r.low AND s.day < r.high"
        return [(sign, f"{self.table(own, 'date')} {joined.format(name=name)}") for sign, name, own in tables if own]

    def table(self, found: Sequence[tuple[object, object, object]], kind: str) -> str:
        """Parts of the period as `r`, of dates or moments."""
        kinds = (kind, kind, "timestamp")
        columns = [f"{self.place([row[n] for row in found])}::{one}[]" for n, one in enumerate(kinds)]
        return f"unnest({', '.join(columns)}) AS r(low, high, span)"

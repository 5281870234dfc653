"""What indicators count, read in bulk: groups of like members with their sums, and the members of some of the groups.

A member is the row that states it; remarks of other records on it are joined to it by its name. Remarks that say something
are few, so they are looked up from their side and taken out of the groups of those without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from slipring.fhir.store.reading import Reader
from slipring.qc.indicators.asked import Asked, Member
from slipring.qc.indicators.score import Group

# How many of the bounds (as negatives, falling) a value does not exceed: a value is within a bound when it equals it.
_BELOW = (
    "CASE WHEN c.value IS NULL OR cardinality($7::float8[]) = 0 THEN 0 ELSE width_bucket(-c.value, $7::float8[]) END"
)
_WITHIN = """c.population = $1 AND NOT c.remark AND c.at >= $2 AND c.at < $3
  AND ($4 = '' OR c.scanner = $4 OR EXISTS (SELECT 1 FROM counted s WHERE s.population = $1 AND s.member = c.member
       AND s.remark AND s.scanner = $4))
  AND ($5::text[] IS NULL OR c.requester = ANY($5)) AND ($6 = '' OR c.system = $6)
  AND (NOT $8 OR NOT EXISTS (SELECT 1 FROM counted l WHERE l.population = $1 AND l.member = c.member AND NOT l.remark
       AND l.at < $3 AND (l.at, l.key) > (c.at, c.key)))"""
_SAID = """said AS MATERIALIZED (SELECT member, string_agg(DISTINCT marks, ' ' ORDER BY marks) AS marks,
    sum(first) AS first, sum(second) AS second FROM counted WHERE population = $1 AND remark AND marks <> '' GROUP BY member)"""
_GROUPS = f"""WITH {_SAID},
  every AS (SELECT c.marks, {_BELOW} AS below, c.value IS NOT NULL AS valued, {{span}} AS span, count(*) AS n,
      sum(c.first) AS first, sum(c.second) AS second FROM counted c WHERE {_WITHIN} GROUP BY 1, 2, 3, 4),
  noted AS (SELECT c.marks, s.marks AS remarks, {_BELOW} AS below, c.value IS NOT NULL AS valued, {{span}} AS span,
      count(*) AS n, sum(c.first) AS first, sum(c.second) AS second, sum(s.first) AS s_first, sum(s.second) AS s_second
      FROM said s JOIN counted c USING (member) WHERE {_WITHIN} GROUP BY 1, 2, 3, 4, 5)
SELECT marks, '' AS remarks, below, valued, span, n, first, second FROM every
UNION ALL SELECT marks, '', below, valued, span, -n, -first, -second FROM noted
UNION ALL SELECT marks, remarks, below, valued, span, n, first + s_first, second + s_second FROM noted"""
_MEMBERS = f"""WITH {_SAID}
  SELECT c.member, c.at, c.value FROM counted c LEFT JOIN said s USING (member) WHERE {_WITHIN}
    AND (c.marks, coalesce(s.marks, ''), {_BELOW}, c.value IS NOT NULL)
      IN (SELECT * FROM unnest($9::text[], $10::text[], $11::int[], $12::bool[]))
  ORDER BY c.at, c.member LIMIT $13 OFFSET $14"""
_QUANTILES = f"""WITH {_SAID} SELECT percentile_cont($11::float8[]) WITHIN GROUP (ORDER BY c.value) AS found
  FROM counted c LEFT JOIN said s USING (member)
  WHERE {_WITHIN} AND c.value IS NOT NULL AND cardinality($7::float8[]) = 0
    AND (c.marks, coalesce(s.marks, '')) IN (SELECT * FROM unnest($9::text[], $10::text[]))"""
_NO_SPAN, _SPAN = "''", "to_char(date_trunc($9, c.at AT TIME ZONE $10), 'YYYY-MM-DD')"


@dataclass(frozen=True, slots=True)
class CountedRows:
    """Implements `slipring.qc.indicators.asked.Counting` on one schema."""

    reader: Reader
    zone: ZoneInfo

    async def groups(self, asked: Asked, bounds: Sequence[float] = (), per: str = "") -> list[Group]:
        """The members in groups; by part of the period as well where `per` says which."""
        arguments = _arguments(asked, bounds) + ([per, self.zone.key] if per else [])
        sums: dict[tuple[str, str, int, bool, str], list[int]] = {}
        for row in await self.reader.fetch(_GROUPS.format(span=_SPAN if per else _NO_SPAN), *arguments):
            held = sums.setdefault((row["marks"], row["remarks"], row["below"], row["valued"], row["span"]), [0, 0, 0])
            for place, name in enumerate(("n", "first", "second")):
                held[place] += int(row[name])
        return [
            Group(marks, remarks, below, valued, count, first, second, span)
            for (marks, remarks, below, valued, span), (count, first, second) in sorted(sums.items())
            if count
        ]

    async def members(
        self, asked: Asked, of: Sequence[Group], bounds: Sequence[float] = (), *, limit: int, offset: int = 0
    ) -> list[Member]:
        """The members of some of the groups, the earliest first."""
        if not of:
            return []
        kinds = [[one.marks for one in of], [one.remarks for one in of], [one.below for one in of]]
        arguments = [*_arguments(asked, bounds), *kinds, [one.valued for one in of], limit, offset]
        found = await self.reader.fetch(_MEMBERS, *arguments)
        return [Member(row["member"], row["at"], row["value"]) for row in found]

    async def quantiles(self, asked: Asked, of: Sequence[Group], shares: Sequence[float]) -> list[float]:
        """Values at these shares of the way; empty where no member has any."""
        if not of:
            return []
        kinds = [[one.marks for one in of], [one.remarks for one in of]]
        found = await self.reader.fetchval(_QUANTILES, *_arguments(asked, ()), *kinds, list(shares))
        return list(found or ())


def _arguments(asked: Asked, bounds: Sequence[float]) -> list[object]:
    requesters = None if asked.requesters is None else list(asked.requesters)
    negatives = [-one for one in reversed(bounds)]
    return [asked.population, asked.start, asked.end, asked.scanner, requesters, asked.system, negatives, asked.newest]

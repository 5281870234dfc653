"""What indicators count, read in bulk: groups of like members with their sums, and the members of some of the groups.

A member is the row that states it; remarks of other records on it are joined to it by its name. Remarks that say something
are few, and so are members of which several records tell: both are looked up from their side and taken out of the groups
of all others, which are sums of whole days, or read from an index alone. A row with a remark is known there by its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from slipring.fhir.store.counted_members import members
from slipring.fhir.store.counted_quantiles import quantiles
from slipring.fhir.store.counted_statement import Statement
from slipring.fhir.store.reading import Reader
from slipring.qc.indicators.asked import Asked, Member
from slipring.qc.indicators.score import Group


@dataclass(frozen=True, slots=True)
class CountedRows:
    """Implements `slipring.qc.indicators.asked.Counting` on one schema."""

    reader: Reader
    zone: ZoneInfo

    async def groups(self, asked: Asked, bounds: Sequence[float] = (), per: str = "") -> list[Group]:
        """The members in groups; by part of the period as well where `per` says which."""
        one = Statement(asked, self.zone)
        sql = one.groups(bounds, per)
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
        one = Statement(asked, self.zone)
        sql = members(one, of, bounds, limit=limit, offset=offset)
        found = await self.reader.fetch(sql, *one.arguments)
        return [Member(row["member"], row["at"], row["value"]) for row in found]

    async def quantiles(self, asked: Asked, of: Sequence[Group], shares: Sequence[float]) -> list[float]:
        """Values at these shares of the way; empty where no member has any."""
        if not of:
            return []
        one = Statement(asked, self.zone)
        sql = quantiles(one, [(each.marks, each.remarks) for each in of], shares)
        return [row["found"] for row in await self.reader.fetch(sql, *one.arguments)]


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

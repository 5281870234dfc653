"""Some members of groups, the earliest first, in one statement: an index alone tells how far it must be read.

Those on which something is remarked are few and looked up from their side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipring.fhir.store.counted_statement import Statement
from slipring.qc.indicators.score import Group


def members(one: Statement, of: Sequence[Group], bounds: Sequence[float], *, limit: int, offset: int) -> str:
    """Rows `member`, `at` and `value`."""
    alike = f"concat({one.below(bounds)}, c.value IS NOT NULL, c.marks)"
    plain = [each for each in of if not each.remarks]
    remarked = one.place([f"{_alike(each)}/{each.remarks}" for each in of if each.remarks])
    rows = [
        f"SELECT c.member, c.at, c.value FROM noted c WHERE concat({alike}, '/', c.remarks) = ANY({remarked}::text[])"
    ]
    early = ""
    if plain:
        marks, kinds = one.place(_once(each.marks for each in plain)), one.place(_once(map(_alike, plain)))
        where = f"""{one.within} AND c.marks = ANY({marks}::text[]) AND {alike} = ANY({kinds}::text[])
            AND (c.first, c.second) NOT IN (SELECT first, second FROM noted)"""
        early = f""", early AS MATERIALIZED (SELECT c.at FROM counted c WHERE {where} ORDER BY c.at LIMIT {one.place(limit + offset)})"""
        last = "c.at <= (SELECT max(at) FROM early)"
        rows.append(f"SELECT c.member, c.at, c.value FROM counted c WHERE {where} AND {last}")
    return f"""WITH {one.few}{early} SELECT member, at, value FROM ({" UNION ALL ".join(rows)}) c
        ORDER BY at, member LIMIT {one.place(limit)} OFFSET {one.place(offset)}"""


def _alike(group: Group) -> str:
    """What is alike of the members of a group, remarks apart, as the statement spells it."""
    return f"{group.below}{'t' if group.valued else 'f'}{group.marks}"


def _once(words: Iterable[str]) -> list[str]:
    return sorted(set(words))

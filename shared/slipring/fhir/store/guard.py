"""What a decision relied on, and the locks under which it still holds when its commit happens.

A version that was read is held by its row. "None is found" has no row to hold: therefore a search stands for locks
(buckets) made from its narrowest condition, and a write takes the same locks for whatever could make its resource be
found. A decision takes them alone, writes share them: writes never wait for each other.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence

import asyncpg

from slipring.fhir.search.condition import Clause, types_looked_into
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.values import ReferenceValue, TokenValue
from slipring.fhir.store import pointed, reading
from slipring.fhir.store.batch import Stale, Version
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import matching
from slipring.fhir.store.relied import Relied

# Few enough for PostgreSQL's lock table however large a transaction is (6,400 as it ships), many enough that strangers
# rarely meet: one CT request takes about forty, ten of them alone.
_BUCKETS = 4096
_CLASS = "hashtext('relied ' || current_schema())"
# For a statement that writes by itself: the locks it shares, taken before any row.
SHARED = f"locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({_CLASS}, b)::text FROM unnest({{array}}::int[]) AS b)"
ONCE_LOCKED = "(SELECT count(*) FROM locked) >= 0"


def touched(versions: Iterable[Version]) -> set[int]:
    """The buckets of every search that could find these versions."""
    found = set()
    for v in versions:
        found.add(_bucket(v.type))
        if v.version == 1 or v.source:
            found.add(_bucket(v.type, "_id", v.id))
        found.update(_bucket(v.type, reference.id) for reference in v.rows.references)
        name = f"{v.type}.identifier"
        found.update(_bucket(v.type, "identifier", token.code) for token in v.rows.tokens if token.parameter == name)
    return found


def locking(relied: Relied, versions: Iterable[Version]) -> str:
    """The statement that takes all locks of one commit in one sorted order, before any row; '' when there are none.

    It stands by itself: a statement's snapshot is taken when it starts, so one that waited for a lock has not seen what
    it waited for. Where no row is held beforehand, the writing statement shares its locks itself.
    """
    alone = _alone(relied)
    wanted = sorted(alone | touched(versions))
    if not wanted:
        return ""
    which = ",".join("t" if bucket in alone else "f" for bucket in wanted)
    return (
        f"SELECT CASE WHEN alone THEN pg_advisory_xact_lock({_CLASS}, b)::text "
        f"ELSE pg_advisory_xact_lock_shared({_CLASS}, b)::text END "
        f"FROM unnest('{{{','.join(map(str, wanted))}}}'::int[], '{{{which}}}'::bool[]) AS w(b, alone)"
    )


async def standing(
    connection: asyncpg.Connection, relied: Relied, references: Sequence[str], written: Collection[str]
) -> dict[str, int]:
    """Lock the rows under these references; their versions (0: none is there). Stale unless the searches find the same."""
    searches = list(relied.pointed)
    rows = [reference in written for reference in references]
    arguments = pointed.arguments(enumerate(searches), references, rows)
    found: dict[str, int] = {}
    now: list[set[str]] = [set() for _ in searches]
    for row in await connection.fetch(pointed.STANDING, *arguments):
        if row["n"] < 0:
            found[row["reference"]] = row["version"] or 0
        else:
            now[row["n"]].add(row["reference"])
    if any(then != before for then, before in zip(now, relied.pointed.values(), strict=True)):
        raise Stale
    return found


async def check(connection: asyncpg.Connection, relied: Relied) -> None:
    """Ask the other searches again under the locks; Stale unless each finds what it found, and nobody refers to what is deleted."""
    for one in relied.unreferred:
        if await reading.referrer(connection, one) is not None:
            raise Stale
    if not relied.searches:
        return
    arguments = Arguments()
    asked = []
    for number, (criteria, _) in enumerate(relied.searches):
        joined, where = matching(criteria, None, arguments)
        asked.append(f"SELECT {number} AS n, r.type || '/' || r.id AS reference FROM resource r{joined} WHERE {where}")
    now: list[set[str]] = [set() for _ in asked]
    for row in await connection.fetch(" UNION ALL ".join(asked), *arguments):
        now[row["n"]].add(row["reference"])
    if any(found != before for found, (_, before) in zip(now, relied.searches, strict=True)):
        raise Stale


def _alone(relied: Relied) -> set[int]:
    """The buckets in which nothing may be written until the decision is stored."""
    absent = (reference.partition("/") for reference, version in relied.versions.items() if version == 0)
    found = {_bucket(kind, "_id", name) for kind, _, name in absent}
    for one in relied.unreferred:
        name = one.reference.partition("/")[2]
        found.update(_bucket(key.partition(".")[0], name) for key in one.keys)
    found.update(_bucket(search.kind, name) for search in relied.pointed for _, name in search.targets)
    return found.union(*(_asked(criteria) for criteria, _ in relied.searches))


def _asked(criteria: Criteria) -> set[int]:
    """The buckets of a search: of its references or identifiers if it has any, else of its whole type."""
    kinds = {criteria.type, *types_looked_into(criteria.clauses)}
    if len(kinds) == 1:
        for clause in criteria.clauses:
            if isinstance(clause, Clause) and not clause.modifier and (narrow := _narrow(clause, criteria.type)):
                return narrow
    return {_bucket(kind) for kind in kinds}


def _narrow(clause: Clause, kind: str) -> set[int]:
    if clause.family == "reference":
        return {_bucket(kind, value.id) for value in clause.values if isinstance(value, ReferenceValue)}
    codes = [value.code for value in clause.values if isinstance(value, TokenValue)]
    if clause.parameter.code not in ("identifier", "_id") or len(codes) != len(clause.values):
        return set()
    return {_bucket(kind, clause.parameter.code, code) for code in codes} if all(codes) else set()


def _bucket(*words: str | None) -> int:
    return zlib.crc32("\x1f".join(map(str, words)).encode()) % _BUCKETS

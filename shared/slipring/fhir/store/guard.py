"""What a decision relied on, and the locks under which it still holds when its commit happens.

A version that was read is held by its row. "None is found" has no row to hold: therefore a search stands for locks
(buckets) made from its narrowest condition, and a write takes the same locks for whatever could make its resource be
found. A decision takes them alone, writes share them: writes never wait for each other. Of types that are looked up far
more often than written it is the other way round: decisions share, a write takes them alone (decision 0028).
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
# A bucket is shared as it is, and taken alone under its negative number.
_LOCKED = f"""SELECT CASE WHEN b > 0 THEN pg_advisory_xact_lock_shared({_CLASS}, b)::text
  ELSE pg_advisory_xact_lock({_CLASS}, -b)::text END FROM unnest({{array}}::int[]) AS b"""
# For a statement that writes by itself: its locks, taken before any row.
LOCKED = f"locked AS MATERIALIZED ({_LOCKED})"
ONCE_LOCKED = "(SELECT count(*) FROM locked) >= 0"


def touched(versions: Iterable[Version], looked_up: Collection[str]) -> list[int]:
    """The locks of what writes these versions, and relied on nothing."""
    return _sorted(_touched(versions, looked_up))


def locking(relied: Relied, versions: Iterable[Version], looked_up: Collection[str]) -> str:
    """The statement that takes all locks of one commit in one sorted order, before any row; '' when there are none.

    It stands by itself: a statement's snapshot is taken when it starts, so one that waited for a lock has not seen what
    it waited for. Where no row is held beforehand, the writing statement shares its locks itself.
    """
    wanted = _sorted([*_relied(relied, looked_up), *_touched(versions, looked_up)])
    return _LOCKED.format(array=f"'{{{','.join(map(str, wanted))}}}'") if wanted else ""


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
    """Ask the other searches again under the locks; Stale unless each finds what it found.

    Stale, too, where somebody refers to what is deleted, or a timer has fired.
    """
    for one in relied.unreferred:
        if await reading.referrer(connection, one) is not None:
            raise Stale
    if relied.armed:
        keys = list(relied.armed)
        armed = await connection.fetch("SELECT 1 FROM timer WHERE timer_key = ANY($1::text[]) FOR UPDATE", keys)
        if len(armed) < len(keys):
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


_Locks = Iterable[tuple[int, bool]]  # buckets, and whether each is taken alone


def _sorted(locks: _Locks) -> list[int]:
    """In one order for all; who needs a bucket both ways takes it alone."""
    found: dict[int, bool] = {}
    for bucket, alone in locks:
        found[bucket] = found.get(bucket, False) or alone
    return [-bucket if found[bucket] else bucket for bucket in sorted(found)]


def _touched(versions: Iterable[Version], looked_up: Collection[str]) -> _Locks:
    """Those of every search that could find these versions."""
    for v in versions:
        alone, name = v.type in looked_up, f"{v.type}.identifier"
        yield _bucket(v.type), alone
        if v.version == 1 or v.source:
            yield _bucket(v.type, "_id", v.id), alone
        yield from ((_bucket(v.type, reference.id), alone) for reference in v.rows.references)
        yield from ((_bucket(v.type, "identifier", t.code), alone) for t in v.rows.tokens if t.parameter == name)


def _relied(relied: Relied, looked_up: Collection[str]) -> _Locks:
    """Those in which nothing may be written until the decision is stored."""
    absent = (reference.partition("/") for reference, version in relied.versions.items() if version == 0)
    found = [(kind, _bucket(kind, "_id", name)) for kind, _, name in absent]
    for one in relied.unreferred:
        kinds, name = (key.partition(".")[0] for key in one.keys), one.reference.partition("/")[2]
        found += [(kind, _bucket(kind, name)) for kind in kinds]
    found += [(search.kind, _bucket(search.kind, name)) for search in relied.pointed for _, name in search.targets]
    found += [asked for criteria, _ in relied.searches for asked in _asked(criteria)]
    return ((bucket, kind not in looked_up) for kind, bucket in found)


def _asked(criteria: Criteria) -> set[tuple[str, int]]:
    """The types and buckets of a search: of its references or identifiers if it has any, else of its whole type."""
    kinds = {criteria.type, *types_looked_into(criteria.clauses)}
    if len(kinds) == 1:
        for clause in criteria.clauses:
            if isinstance(clause, Clause) and not clause.modifier and (narrow := _narrow(clause, criteria.type)):
                return {(criteria.type, bucket) for bucket in narrow}
    return {(kind, _bucket(kind)) for kind in kinds}


def _narrow(clause: Clause, kind: str) -> set[int]:
    if clause.family == "reference":
        return {_bucket(kind, value.id) for value in clause.values if isinstance(value, ReferenceValue)}
    codes = [value.code for value in clause.values if isinstance(value, TokenValue)]
    if clause.parameter.code not in ("identifier", "_id") or len(codes) != len(clause.values):
        return set()
    return {_bucket(kind, clause.parameter.code, code) for code in codes} if all(codes) else set()


def _bucket(*words: str | None) -> int:
    return 1 + zlib.crc32("\x1f".join(map(str, words)).encode()) % _BUCKETS

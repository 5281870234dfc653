"""Reads from one schema: current versions, earlier versions, searches and histories, as stored text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import asyncpg

from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.pointed import Pointed
from slipring.fhir.service import Stored
from slipring.fhir.store import pointed, query
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import matching
from slipring.fhir.store.relied import Unreferred

_DECODER = json.JSONDecoder(parse_float=Decimal)


class Reader(Protocol):
    """A pool or one of its connections, as far as reading goes."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """All rows."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """The first row or None."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first value of the first row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One version as stored; `sort` are the values that paging goes on from."""

    key: int
    type: str
    id: str
    version: int
    updated_at: datetime
    deleted: bool
    source: str
    text: str
    method: str = "PUT"
    sort: Sequence[Any] = ()
    audience: Sequence[str] | None = None  # of the resource as it stands; of an earlier version: its own

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.type}/{self.id}"

    def stored(self) -> Stored:
        """The row as a decimal-exact tree."""
        audience = None if self.audience is None else tuple(self.audience)
        return Stored(_DECODER.decode(self.text), self.version, self.updated_at, self.source, self.deleted, audience)


_COLUMNS = "r.key, r.type, r.id, v.version, v.updated_at, r.deleted, r.source, v.body, v.method, {}.audience"
_CURRENT, _EARLIER = _COLUMNS.format("r"), _COLUMNS.format("v")


def row_of(record: asyncpg.Record) -> Row:
    """A row of the columns above."""
    return Row(
        record["key"],
        record["type"],
        record["id"],
        record["version"],
        record["updated_at"],
        record["deleted"],
        record["source"],
        record["body"],
        record["method"],
        audience=record["audience"],
    )


async def current(reader: Reader, resource_type: str, resource_id: str) -> Row | None:
    """The current version, also when deleted."""
    record = await reader.fetchrow(
        f"SELECT {_CURRENT} FROM resource r JOIN version v ON v.key = r.key AND v.version = r.version "
        "WHERE r.type = $1 AND r.id = $2",
        resource_type,
        resource_id,
    )
    return row_of(record) if record else None


async def held(reader: Reader, references: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Of these references the ones that stand here, own or followed: the current version and its source."""
    found = await reader.fetch(
        "SELECT r.type || '/' || r.id AS reference, r.version, r.source FROM resource r JOIN "
        "unnest($1::text[], $2::text[]) asked(type, id) ON r.type = asked.type AND r.id = asked.id",
        [reference.partition("/")[0] for reference in references],
        [reference.partition("/")[2] for reference in references],
    )
    return {row["reference"]: (row["version"], row["source"]) for row in found}


async def version(reader: Reader, resource_type: str, resource_id: str, number: int) -> Row | None:
    """One version by its number; a version that recorded a deletion has method DELETE."""
    record = await reader.fetchrow(
        f"SELECT {_EARLIER} FROM resource r JOIN version v ON v.key = r.key "
        "WHERE r.type = $1 AND r.id = $2 AND v.version = $3",
        resource_type,
        resource_id,
        number,
    )
    return row_of(record) if record else None


async def referrer(reader: Reader, asked: Unreferred) -> str | None:
    """A current resource, own or followed, that refers to this one, as `Type/id`."""
    kind, _, name = asked.reference.partition("/")
    found = await reader.fetchval(
        "SELECT r.type || '/' || r.id FROM search_reference s JOIN resource r ON r.key = s.key WHERE s.parameter = ANY($1::text[]) "
        "AND s.id = $2 AND s.type = $3 AND NOT r.deleted AND r.type || '/' || r.id <> ALL($4::text[]) LIMIT 1",
        list(asked.keys),
        name,
        kind,
        [asked.reference, *asked.leaving],
    )
    return str(found) if found else None


async def search(
    reader: Reader, criteria: Criteria, *, source: str | None, after: Sequence[Any] | None = None, limit: int
) -> list[Row]:
    """One page of matches; `source` "" = kept here only, None = with followed copies."""
    sql, arguments = query.page(criteria, source=source, after=after, limit=limit)
    return [
        Row(
            record["key"],
            record["type"],
            record["id"],
            record["version"],
            record["updated_at"],
            False,
            record["source"],
            record["body"],
            sort=query.cursor_of(criteria, record),
            audience=record["audience"],
        )
        for record in await reader.fetch(sql, *arguments)
    ]


async def count(reader: Reader, criteria: Criteria, *, source: str | None) -> int:
    """How many match."""
    sql, arguments = query.count(criteria, source=source)
    return int(await reader.fetchval(sql, *arguments))


async def searches(reader: Reader, asked: Sequence[Criteria], *, limit: int) -> list[list[Row]]:
    """The matches of several searches by one statement, own and followed; each in the order of its keys."""
    arguments = Arguments()
    parts = []
    for number, criteria in enumerate(asked):
        joined, where = matching(criteria, None, arguments)
        parts.append(
            f"(SELECT {number} AS n, r.key, r.type, r.id, r.version, r.updated_at, r.source, r.audience "
            f"FROM resource r{joined} WHERE {where} ORDER BY r.key LIMIT {arguments.add(limit, 'bigint')})"
        )
    sql = (
        f"SELECT t.*, v.body FROM ({' UNION ALL '.join(parts)}) t "
        "JOIN version v ON v.key = t.key AND v.version = t.version ORDER BY t.n, t.key"
    )
    found: list[list[Row]] = [[] for _ in asked]
    for r in await reader.fetch(sql, *arguments):
        row = Row(
            r["key"],
            r["type"],
            r["id"],
            r["version"],
            r["updated_at"],
            False,
            r["source"],
            r["body"],
            audience=r["audience"],
        )
        found[r["n"]].append(row)
    return found


async def looked(
    reader: Reader, references: Sequence[str], searches: Sequence[Pointed], *, limit: int
) -> tuple[dict[str, Row], list[list[Row]]]:
    """By one statement what stands under these references, also when deleted, and the matches of each search by key."""
    arguments = pointed.arguments(enumerate(searches), references, limit)
    standing: dict[str, Row] = {}
    found: list[dict[int, Row]] = [{} for _ in searches]  # one that refers to two of the targets counts once
    for r in await reader.fetch(pointed.FOUND, *arguments):
        by_name = r["n"] < 0
        row = Row(
            r["key"],
            r["type"],
            r["id"],
            r["version"],
            r["written_at"] if by_name else r["updated_at"],
            r["deleted"],
            r["source"],
            r["body"],
            r["method"],
            audience=r["audience"],
        )
        if by_name:
            standing[row.reference] = row
        else:
            found[r["n"]][row.key] = row
    return standing, [sorted(rows.values(), key=lambda row: row.key) for rows in found]

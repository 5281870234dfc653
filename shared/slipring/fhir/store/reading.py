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
from slipring.fhir.service import Stored
from slipring.fhir.store import query

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

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.type}/{self.id}"

    def stored(self) -> Stored:
        """The row as a decimal-exact tree."""
        return Stored(_DECODER.decode(self.text), self.version, self.updated_at, self.source, self.deleted)


_COLUMNS = "r.key, r.type, r.id, v.version, v.updated_at, r.deleted, r.source, v.body, v.method"


def _row(record: asyncpg.Record) -> Row:
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
    )


async def current(reader: Reader, resource_type: str, resource_id: str) -> Row | None:
    """The current version, also when deleted."""
    record = await reader.fetchrow(
        f"SELECT {_COLUMNS} FROM resource r JOIN version v ON v.key = r.key AND v.version = r.version "
        "WHERE r.type = $1 AND r.id = $2",
        resource_type,
        resource_id,
    )
    return _row(record) if record else None


async def version(reader: Reader, resource_type: str, resource_id: str, number: int) -> Row | None:
    """One version by its number; a version that recorded a deletion has method DELETE."""
    record = await reader.fetchrow(
        f"SELECT {_COLUMNS} FROM resource r JOIN version v ON v.key = r.key "
        "WHERE r.type = $1 AND r.id = $2 AND v.version = $3",
        resource_type,
        resource_id,
        number,
    )
    return _row(record) if record else None


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
        )
        for record in await reader.fetch(sql, *arguments)
    ]


async def count(reader: Reader, criteria: Criteria, *, source: str | None) -> int:
    """How many match."""
    sql, arguments = query.count(criteria, source=source)
    return int(await reader.fetchval(sql, *arguments))


async def history(
    reader: Reader,
    *,
    resource_type: str | None,
    resource_id: str | None,
    since: datetime | None,
    before: int | None,
    limit: int,
) -> list[tuple[int, Row]]:
    """Versions kept here, newest first, as (sequence, row); `before` continues from a sequence number."""
    arguments: list[Any] = []
    where = ["r.source = ''"]
    for condition, kind, value in (
        ("r.type =", "text", resource_type),
        ("r.id =", "text", resource_id),
        ("v.updated_at >=", "timestamptz", since),
        ("v.sequence <", "bigint", before),
    ):
        if value is not None:
            arguments.append(value)
            where.append(f"{condition} ${len(arguments)}::{kind}")
    if resource_id is not None:  # few rows of one resource: by its key, not along the whole sequence
        where.append("v.key = (SELECT k.key FROM resource k WHERE k.type = $1 AND k.id = $2)")
    records = await reader.fetch(
        f"SELECT {_COLUMNS}, v.sequence FROM version v JOIN resource r ON r.key = v.key WHERE {' AND '.join(where)} "
        f"ORDER BY v.sequence DESC LIMIT {int(limit)}",
        *arguments,
    )
    return [(record["sequence"], _row(record)) for record in records]

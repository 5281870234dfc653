"""What may be erased: records past their term that nothing which stays refers to."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from slipring.upkeep.contents import quote, schemas_of


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One record past its term, in the schema of its keeper."""

    schema: str
    type: str
    id: str
    version: int

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"


def cutoff(now: datetime) -> datetime:
    """What was last written before this moment is past its term."""
    years = int(terms()["years"])
    day = now.replace(day=28) if (now.month, now.day) == (2, 29) else now
    return day.replace(year=day.year - years)


async def find_due(connection: asyncpg.Connection, prefix: str, now: datetime) -> list[Due]:
    """Everything due, once what is still referred to was taken out again; runs in the caller's transaction."""
    schemas = [schema for schema in await schemas_of(connection, prefix) if schema != f"{prefix}front"]
    await connection.execute(
        "CREATE TEMPORARY TABLE due (schema text, type text, id text, version int, PRIMARY KEY (type, id)) ON COMMIT DROP"
    )
    for schema in schemas:
        await connection.execute(
            f"INSERT INTO due SELECT $1, type, id, version FROM {quote(schema)}.resource "
            "WHERE source = '' AND type = ANY($2::text[]) AND updated_at < $3",
            schema,
            list(terms()["types"]),
            cutoff(now),
        )
        await connection.execute(
            f"DELETE FROM due d USING {quote(schema)}.resource r, {quote(schema)}.search_reference s WHERE r.type = d.type "
            "AND r.id = d.id AND s.key = r.key AND s.parameter = d.type || '.subject' AND s.type = ANY($1::text[])",
            list(terms()["never_about"]),
        )
    while await _spared(connection, schemas):
        pass
    rows = await connection.fetch("SELECT schema, type, id, version FROM due ORDER BY 1, 2, 3")
    return [Due(*row) for row in rows]


async def _spared(connection: asyncpg.Connection, schemas: Sequence[str]) -> int:
    """Take out what a record that stays refers to; that record's own references count in the next round."""
    spared = 0
    for schema in schemas:
        q = quote(schema)
        done = await connection.execute(
            f"DELETE FROM due d USING {q}.search_reference s JOIN {q}.resource r ON r.key = s.key "
            "WHERE s.type = d.type AND s.id = d.id AND NOT r.deleted "
            "AND NOT EXISTS (SELECT FROM due o WHERE o.type = r.type AND o.id = r.id)"
        )
        spared += int(done.rpartition(" ")[2])
    return spared


def digest(found: Sequence[Due]) -> str:
    """One hash over exactly these records in exactly these versions: what the second person confirms."""
    text = "\n".join(f"{due.schema} {due.reference}/_history/{due.version}" for due in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()


def counted(found: Sequence[Due]) -> Counter[tuple[str, str]]:
    """How many of each type in each schema."""
    return Counter((due.schema, due.type) for due in found)


@cache
def terms() -> dict[str, Any]:
    """The retention terms."""
    with Path(__file__).with_name("terms.toml").open("rb") as file:
        return tomllib.load(file)

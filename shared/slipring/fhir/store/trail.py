"""Audit rows read as they are asked for: by conditions, newest or oldest first, page after page by time and id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from slipring.fhir.store.reading import Reader

_COLUMNS = "a.id, a.at, a.client, a.practitioner, a.interaction, a.resource, a.disclosed, a.parameters, a.request_id, a.outcome, a.purpose"
# Of what was deleted the search rows are gone: its last texts still say whom it was about.
_ABOUT = """SELECT w.type, w.id FROM unnest($1::text[], $2::text[]) AS w(type, id)
  JOIN resource r ON r.type = w.type AND r.id = w.id AND r.source = ''
  WHERE EXISTS (SELECT 1 FROM search_reference s WHERE s.key = r.key AND s.type = 'Patient' AND s.id = ANY($3::text[]))
    OR (r.deleted AND EXISTS (SELECT 1 FROM version v WHERE v.key = r.key AND v.method <> 'DELETE'
      AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS p(id) WHERE strpos(v.body, '"Patient/' || p.id || '"') > 0)))"""
_PATIENTS = "SELECT audit, patient FROM audit_patient WHERE audit = ANY($1::bigint[]) ORDER BY audit, patient"


async def page(
    reader: Reader,
    where: str,
    arguments: Sequence[Any],
    *,
    ascending: bool,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[asyncpg.Record]:
    """The rows that meet the conditions, from behind `after` on."""
    values, direction, beyond = list(arguments), "ASC" if ascending else "DESC", ""
    if after is not None:
        values += after
        beyond = (
            f" AND (a.at, a.id) {'>' if ascending else '<'} (${len(values) - 1}::timestamptz, ${len(values)}::bigint)"
        )
    return list(
        await reader.fetch(
            f"SELECT {_COLUMNS} FROM audit a WHERE {where}{beyond} ORDER BY a.at {direction}, a.id {direction} LIMIT {limit}",
            *values,
        )
    )


async def count(reader: Reader, where: str, arguments: Sequence[Any]) -> int:
    """How many rows meet the conditions."""
    return int(await reader.fetchval(f"SELECT count(*) FROM audit a WHERE {where}", *arguments))


async def about(
    reader: Reader, references: Sequence[tuple[str, str]], records: Collection[str]
) -> set[tuple[str, str]]:
    """Which of these resources (type, id) tell something about one patient; `records`: the ids of his records."""
    columns = [kind for kind, _ in references], [name for _, name in references]
    return {(row["type"], row["id"]) for row in await reader.fetch(_ABOUT, *columns, sorted(records))}


async def patients(reader: Reader, rows: Sequence[int]) -> dict[int, list[str]]:
    """Whom each of these rows tells something about."""
    found: dict[int, list[str]] = {}
    for row in await reader.fetch(_PATIENTS, list(rows)):
        found.setdefault(row["audit"], []).append(row["patient"])
    return found

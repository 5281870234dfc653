"""Which patients an audit row tells something about: noted beside the row when it is sealed.

A resource is about every Patient it refers to. Asked at query time this would mean looking through all rows for one
patient; asked in the write it would make every read slower. So it is noted a moment later, by the references that the
row touched or disclosed; of a resource that was deleted meanwhile, by those of its last text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal

import asyncpg

from slipring.fhir.search.index import rows as index_rows

_REFERENCE = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:$|/)")
_BY_INDEX = """SELECT DISTINCT s.id AS patient, w.audit FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(type, id, audit)
  JOIN resource r ON r.type = w.type AND r.id = w.id AND r.source = '' JOIN search_reference s ON s.key = r.key
  WHERE s.type = 'Patient'"""
_DELETED = """SELECT w.audit, v.body FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(type, id, audit)
  JOIN resource r ON r.type = w.type AND r.id = w.id AND r.source = '' AND r.deleted
  JOIN LATERAL (SELECT body FROM version WHERE key = r.key AND method <> 'DELETE' ORDER BY version DESC LIMIT 1) v ON true"""
_INSERT = (
    "INSERT INTO audit_patient (patient, audit) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING"
)


async def note_patients(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> None:
    """Write down the patients of these audit rows, in the caller's transaction."""
    told = {
        (match[1], match[2], row["id"])
        for row in rows
        for reference in (row["resource"], *row["disclosed"])
        if (match := _REFERENCE.match(reference)) and match[1] != "AuditEvent"
    }
    if not told:
        return
    found = {(name, audit) for kind, name, audit in told if kind == "Patient"}
    columns = [list(column) for column in zip(*sorted(told), strict=True)]
    found |= {(row["patient"], row["audit"]) for row in await connection.fetch(_BY_INDEX, *columns)}
    for row in await connection.fetch(_DELETED, *columns):
        found |= {(name, row["audit"]) for name in _patients_in(row["body"])}
    if found:
        await connection.execute(_INSERT, *[list(column) for column in zip(*sorted(found), strict=True)])


def _patients_in(body: str) -> set[str]:
    return {name for _, kind, name in index_rows(json.loads(body, parse_float=Decimal)).references if kind == "Patient"}

"""The access report about one patient from the database itself, for `slipring audit report`; making it is audited."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

import asyncpg

from slipring.fhir.store import trail
from slipring.fhir.store.audit import AuditQueue
from slipring.fhir.store.batch import Audit
from slipring.fhir.store.engine import OneConnection
from slipring.fhir.trail.asked import wanted
from slipring.fhir.trail.event import Row
from slipring.fhir.trail.report import Access, accesses, references_of
from slipring.upkeep.contents import quote, schemas_of

_LETTERS = {"order": "o", "consent": "c", "report": "r", "critical": "k", "front": "f"}
_MOST = 1_000_000
_BY = "slipring-command"


async def access_lines(
    connection: asyncpg.Connection, prefix: str, patient: str, start: str, end: str, now: datetime, zone: tzinfo
) -> list[Access]:
    """Every access in order of time; `start` and `end` are FHIR dates or times, or empty."""
    found: list[Access] = []
    for schema in await schemas_of(connection, prefix):
        await connection.execute("SELECT set_config('search_path', $1, false)", quote(schema))
        service = schema.removeprefix(prefix)
        pairs = [("patient", f"Patient/{patient}")]
        pairs += [("date", f"{side}{value}") for side, value in (("ge", start), ("le", end)) if value]
        limits = wanted(pairs, service, _LETTERS[service], zone)
        one: Any = OneConnection(connection)
        page = await trail.page(one, limits.where(), limits.arguments, ascending=True, after=None, limit=_MOST)
        rows = [Row(**dict(row.items())) for row in page]
        about = await trail.about(one, references_of(rows), patient)
        found += accesses(rows, patient, about, service, _LETTERS[service])
        asked = Audit(_BY, "", "operation", f"Patient/{patient}/$access-report", "", 200)
        await AuditQueue(one).write(asked, now)
    return sorted(found, key=lambda access: access.when)

"""The access report about one patient from the database itself, for `slipring audit report`; making it is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from slipring.fhir.caller import Caller
from slipring.fhir.desk import LiveDesk
from slipring.fhir.merged import any_of, merge_set
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
    connection: asyncpg.Connection, prefix: str, patient: str, start: str, end: str, now: datetime, zone: ZoneInfo
) -> list[Access]:
    """Every access to any record of the person, in order of time; `start` and `end` are FHIR dates or times, or empty."""
    found: list[Access] = []
    schemas = await schemas_of(connection, prefix)
    records = await _records(connection, f"{prefix}order", patient, now, zone)
    ids = frozenset(one.removeprefix("Patient/") for one in records)
    for schema in schemas:
        await connection.execute("SELECT set_config('search_path', $1, false)", quote(schema))
        service = schema.removeprefix(prefix)
        pairs = [("patient", any_of(records))]
        pairs += [("date", f"{side}{value}") for side, value in (("ge", start), ("le", end)) if value]
        limits = wanted(pairs, service, _LETTERS[service], zone)
        one: Any = OneConnection(connection)
        page = await trail.page(one, limits.where(), limits.arguments, ascending=True, after=None, limit=_MOST)
        rows = [Row(**dict(row.items())) for row in page]
        about = await trail.about(one, references_of(rows), ids)
        found += accesses(rows, ids, about, service, _LETTERS[service])
        asked = Audit(_BY, "", "operation", f"Patient/{patient}/$access-report", "", 200)
        await AuditQueue(one).write(asked, now)
    return sorted(found, key=lambda access: access.when)


async def _records(
    connection: asyncpg.Connection, schema: str, patient: str, now: datetime, zone: ZoneInfo
) -> frozenset[str]:
    """All records of the person, as the keeper of patients has them merged now."""
    await connection.execute("SELECT set_config('search_path', $1, false)", quote(schema))
    one: Any = OneConnection(connection)
    nothing: Any = None  # neither settings nor seals: patients are looked up, no more
    desk = LiveDesk(
        one, searcher=one, types={"Patient"}, letter="o", now=now, caller=Caller(_BY), settings=nothing, zone=zone,
        seals=nothing, vault=nothing,
    )  # fmt: skip
    return await merge_set(f"Patient/{patient}", desk)

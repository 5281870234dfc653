"""read and vread: the stored text, audited before it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from starlette.responses import Response

from slipring.fhir.access import reaches
from slipring.fhir.interactions.asked import Asked
from slipring.fhir.interactions.respond import answer
from slipring.fhir.interactions.shown import shown
from slipring.fhir.interactions.standing import names_version
from slipring.fhir.interactions.subscription import lanes_shown
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import gone, invalid, not_found
from slipring.fhir.sight import visible
from slipring.fhir.store import reading
from slipring.fhir.store.audit import Lookup
from slipring.fhir.store.reading import Row

_SUMMARIES = ("", "true", "text", "data", "false")


async def read(kernel: Kernel, context: Context, resource_type: str, resource_id: str, asked: Asked) -> Response:
    """The current version; 410 when deleted, 304 when known already; a followed copy is not answered here."""
    asked.only("_summary", "_elements")
    kernel.kept(resource_type)
    context.demand(resource_type, "r")
    reference = f"{resource_type}/{resource_id}"
    row = await _current(kernel, context, resource_type, resource_id)
    if row is None:
        raise not_found(reference)
    if row.deleted:
        raise gone(reference)
    text = row.text
    if resource_type == "Subscription":  # its status moves without a version
        text = (await lanes_shown(kernel.store.pool, [row]))[row.id]
    if text == row.text and known_already(row, asked.headers):
        return answer("", 304, version=row.version, updated_at=row.updated_at)
    return answer(in_part(text, asked), version=row.version, updated_at=row.updated_at)


async def _current(kernel: Kernel, context: Context, resource_type: str, resource_id: str) -> Row | None:
    """The current version if it may be seen, audited; what a limited token reaches is judged by its text first."""
    caller, reference = context.caller, f"{resource_type}/{resource_id}"
    if not caller.bounded:
        audit = context.audit("read", f"{reference}/_history/")
        return await kernel.store.audits.read(Lookup(resource_type, resource_id, audit, kernel.now(), caller.audiences))
    row = await reading.current(kernel.store.pool, resource_type, resource_id)
    if row is None or row.source or not visible(kernel, context, row):
        return None
    await kernel.store.audits.write(context.audit("read", f"{reference}/_history/{row.version}"), kernel.now())
    return row


async def _may_vread(kernel: Kernel, context: Context, row: Row) -> bool:
    """Whether an earlier version may be seen: it and what stands today must both lie within a limited token."""
    if not visible(kernel, context, row):
        return False
    if not context.caller.bounded:
        return True
    current = await reading.current(kernel.store.pool, row.type, row.id)
    return current is not None and reaches(context.caller, "r", current.stored().resource, kernel.zone)


async def vread(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, number: str, asked: Asked
) -> Response:
    """One version; versions of deleted resources stay readable."""
    asked.only("_summary", "_elements")
    kernel.kept(resource_type)
    context.demand(resource_type, "r")
    reference = f"{resource_type}/{resource_id}/_history/{number}"
    known = number.isascii() and number.isdigit() and len(number) < 10
    row = await reading.version(kernel.store.pool, resource_type, resource_id, int(number)) if known else None
    if row is None or row.source or not await _may_vread(kernel, context, row):
        raise not_found(reference)
    await kernel.store.audits.write(context.audit("vread", reference), kernel.now())
    if row.method == "DELETE":
        raise gone(reference)
    if known_already(row, asked.headers):
        return answer("", 304, version=row.version, updated_at=row.updated_at)
    return answer(in_part(row.text, asked), version=row.version, updated_at=row.updated_at)


def in_part(text: str, asked: Asked) -> str:
    """The resource as `_summary` and `_elements` ask for it."""
    if not asked.query:
        return text
    given = dict(asked.query)
    summary = given.get("_summary", "")
    if summary not in _SUMMARIES:
        known = ", ".join(_SUMMARIES[1:])
        raise invalid(
            f"_summary must be one of {known}.",
            f"_summary 须为 {known} 之一。",
            at="_summary",
            detail="kernel.summary-mode",
        )
    return shown(text, summary=summary, elements=[name for name in given.get("_elements", "").split(",") if name])


def known_already(row: Row, headers: Mapping[str, str]) -> bool:
    """Whether the client holds this version: by If-None-Match, else by If-Modified-Since (RFC 9110, 13.2.2)."""
    tags = headers.get("if-none-match")
    if tags is not None:
        return names_version(tags, row.version)
    since = headers.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False  # a date that is none is ignored (RFC 9110, 13.1.3)
    if moment.tzinfo is None:
        return False
    return row.updated_at.replace(microsecond=0) <= moment

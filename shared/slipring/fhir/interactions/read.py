"""read and vread: the stored text, audited before it leaves."""

from __future__ import annotations

from starlette.responses import Response

from slipring.fhir.delivery.lane import with_lane
from slipring.fhir.interactions.respond import answer
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import gone, not_found
from slipring.fhir.store import reading
from slipring.fhir.store.audit import Lookup


async def read(kernel: Kernel, context: Context, resource_type: str, resource_id: str) -> Response:
    """The current version; 410 when deleted; a followed copy is not answered here."""
    kernel.kept(resource_type)
    context.demand(resource_type, "r")
    reference = f"{resource_type}/{resource_id}"
    audit = context.audit("read", f"{reference}/_history/")
    row = await kernel.store.audits.read(Lookup(resource_type, resource_id, audit, kernel.now()))
    if row is None:
        raise not_found(reference)
    if row.deleted:
        raise gone(reference)
    text = await with_lane(kernel.store.pool, row) if resource_type == "Subscription" else row.text
    return answer(text, version=row.version, updated_at=row.updated_at)


async def vread(kernel: Kernel, context: Context, resource_type: str, resource_id: str, number: str) -> Response:
    """One version; versions of deleted resources stay readable."""
    kernel.kept(resource_type)
    context.demand(resource_type, "r")
    reference = f"{resource_type}/{resource_id}/_history/{number}"
    known = number.isascii() and number.isdigit() and len(number) < 10
    row = await reading.version(kernel.store.pool, resource_type, resource_id, int(number)) if known else None
    if row is None or row.source:
        raise not_found(reference)
    await kernel.store.audits.write(context.audit("vread", reference), kernel.now())
    if row.method == "DELETE":
        raise gone(reference)
    return answer(row.text, version=row.version, updated_at=row.updated_at)

"""Patient/[id]/$access-report: who saw or changed something about one patient here; the front puts the parts together."""

from __future__ import annotations

from starlette.responses import Response

from slipring.fhir.interactions import trail as audit_trail
from slipring.fhir.interactions.given import Given
from slipring.fhir.interactions.respond import answer_tree
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.outcome import invalid, refusal
from slipring.fhir.search.moment import interval
from slipring.fhir.store import trail
from slipring.fhir.trail.asked import wanted
from slipring.fhir.trail.event import Row
from slipring.fhir.trail.report import accesses, as_report, references_of

PARAMETERS = ("start", "end")
MOST = 10_000  # rows of one service


async def access_report(kernel: Kernel, context: Context, patient: str, given: Given) -> Response:
    """This service's part, oldest first, over all records of the person; needs the scope on AuditEvent by its name."""
    audit_trail.demand(context, "s")
    pairs = given.pairs(*PARAMETERS)
    for name, value in pairs:
        if interval(value, kernel.zone) is None:
            raise invalid(
                f"{name} must be a date or a time.", f"{name} 须为日期或时刻。", at=name, detail="kernel.not-a-date"
            )
    if kernel.noted:
        await kernel.noted()
    records = await merge_set(f"Patient/{patient}", kernel.desk(context.caller))
    asked = [("patient", any_of(records))]
    asked += [("date", f"{'ge' if name == 'start' else 'le'}{value}") for name, value in pairs]
    limits = wanted(asked, kernel.service.name, kernel.service.letter, kernel.zone)
    reader = kernel.store.searches
    found = await trail.page(reader, limits.where(), limits.arguments, ascending=True, after=None, limit=MOST + 1)
    if len(found) > MOST:
        raise refusal(
            422,
            "too-costly",
            f"More than {MOST} accesses in {kernel.service.name}: give a shorter period by start and end.",
            f"{kernel.service.name} 中的访问超过 {MOST} 条：请用 start、end 缩短时段。",
            at="start",
            detail="kernel.report-too-long",
        )
    rows = [Row(**dict(row.items())) for row in found]
    ids = frozenset(one.removeprefix("Patient/") for one in records)
    about = await trail.about(reader, references_of(rows), ids)
    told = accesses(rows, ids, about, kernel.service.name, kernel.service.letter)
    names = sorted(name for name, _ in pairs)
    row = context.audit("operation", f"Patient/{patient}/$access-report", parameters=names)
    await kernel.store.audits.write(row, kernel.now())
    viewer = " ".join(part for part in (context.caller.client, context.caller.practitioner) if part)
    return answer_tree(as_report(patient, viewer, kernel.now(), [access.part() for access in told]))

"""The scan begins and ends: by a named person, with what was confirmed on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.rules.lifecycle import IllegalMove

from slipring_order import lifecycle, resources
from slipring_order.handlers.exams import demand_a_coded_reason, demand_the_department, illegal
from slipring_order.handlers.reception import performer
from slipring_order.handlers.scheduling import the_exam
from slipring_order.judging.contrast import contrast_shown
from slipring_order.life.moving import exam_follows
from slipring_order.reading import instant, reference_of
from slipring_order.rooms import checks
from slipring_order.rooms.occurring import occurred
from slipring_order.rooms.starting import issues_of, start_findings, stopped_by

_ENDS = ("acquired", "discontinued")


async def started(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$start`: the scan begins; 422 with every reason when it may not, and the try is on record."""
    exam, who = the_exam(call), await performer(call, desk)
    when = await occurred(call, exam, desk)
    exam = replace(exam, resource={**exam.resource, "owner": {"reference": who}, **when.noted(exam.resource, who)})
    return await _moved(exam, "in-progress", desk, executionPeriod={"start": instant(when.at)})


async def finished(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$finish`: the scan is done, or was broken off for a reason."""
    exam, who = the_exam(call), await performer(call, desk)
    target = str(call.value("outcome") or "acquired")
    if target not in _ENDS:
        raise unprocessable(
            f"outcome is one of {', '.join(_ENDS)}.",
            f"outcome 须为下列之一：{', '.join(_ENDS)}。",
            at=call.at("outcome"),
            code="code-invalid",
            detail="order.end-unknown",
        )
    if target == "discontinued":
        await demand_the_department(desk)
        demand_a_coded_reason(call.value("reason"), call.at("reason"))
    when = await occurred(call, exam, desk, scanned=True)
    record = checks.record(exam, checks.DONE, who, id=desk.new_id(), now=desk.now, note=str(call.value("note") or ""))
    record = when.on(record)
    period = {**exam.resource.get("executionPeriod", {}), "end": instant(when.at)}
    members: dict[str, Any] = {"executionPeriod": period, "statusReason": call.value("reason")}
    if target == "acquired":
        given = {"valueReference": {"reference": f"Provenance/{record['id']}"}}
        exam = replace(exam, resource={**exam.resource, "input": checks.with_input(exam.resource, checks.DONE, given)})
    changes = await _moved(exam, target, desk, **members)
    return changes.plus(Changes(save=[Save(record)]))


async def _moved(exam: Stored, target: str, desk: Desk, **members: Any) -> Changes:
    try:
        lifecycle.by_hand(resources.state_of(exam.resource), target)
    except IllegalMove as refused:
        raise illegal(refused) from refused
    findings = await start_findings(exam.resource, desk) if target == "in-progress" else []
    issues = issues_of(findings, exam.resource, desk)
    if stopped := stopped_by(findings):
        return Changes(save=issues, refuse=stopped)
    request = await desk.read(reference_of(exam.resource["focus"]))
    shown: Resource = await contrast_shown(request.resource, exam.resource, target, desk) if request else {}
    moved = resources.moved(exam, target, desk.now, **{**shown, **members})
    follows = await exam_follows(exam, target, desk, moved.resource.get("executionPeriod"))
    return Changes(save=[moved, *follows, *issues], answer=moved.resource)

"""A named physician decides where the rules ask."""

from __future__ import annotations

from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError, Issue, conflict, not_found, unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource, Save, Stored
from slipring.rules.lifecycle import IllegalMove, move
from slipring.staff import may, staff_facts

from slipring_order import lifecycle, resources
from slipring_order.facts import DecisionFacts
from slipring_order.judgement import Judgement, answered_by_decision, judge_decision
from slipring_order.judging.afterwork import open_points
from slipring_order.judging.contrast import contrast_shown
from slipring_order.judging.early_pregnancy import threefold, with_threefold
from slipring_order.judging.judge import judged, open_issues
from slipring_order.life.moving import exam_follows
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import codes, instant, reference_of

_EMERGENCY = "emergency"


async def decided(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$decide`: justify, reject, ask for more, or replace; the whole decision goes on record.

    For a stat request one call with reason `emergency` passes everything that is open; what was passed becomes
    a follow-up Task.
    """
    exam = call.target
    if exam is None or not resources.is_exam(exam.resource):
        raise unprocessable(
            "Only an exam's Task is decided on.",
            "只能对检查任务作出决定。",
            at="Task.code",
            detail="order.not-an-exam",
        )
    request = await desk.read(reference_of(exam.resource.get("focus")))
    if request is None:
        raise not_found(reference_of(exam.resource.get("focus")))
    decider, title = await _decider(call, desk)
    decision, reason = str(call.value("decision") or ""), call.value("reason") or {}
    _demand_a_whole_record(call, decision, reason, decider, title, desk)
    state = resources.state_of(exam.resource)
    target = _target(state, decision)
    judgement = await judged(request.resource, desk)
    emergency = request.resource.get("priority") == "stat" and _EMERGENCY in codes(reason)
    if decision == "justified" and judgement.stopped and state == "awaiting-information" and not emergency:
        raise _still_open(judgement)
    asked = decision == "justified" and not emergency
    passed_by = await threefold(call, request.resource, judgement, decider, desk) if asked else None
    saves = await _task_after(call, exam, request.resource, target, judgement, desk)
    record = resources.decision_provenance(
        exam, request.resource, decision, reason, decider, title, id=desk.new_id(), now=desk.now
    )
    saves.append(Save(with_threefold(record, passed_by)))
    if decision == "justified":
        saves += await _overridden(request.resource, reason, decider, desk)
        if emergency and (passed := await open_points(request.resource, judgement, desk)):
            saves.append(Save(resources.follow_up_task(exam, passed, decider, id=desk.new_id(), now=desk.now)))
    return Changes(save=saves, answer=saves[0].resource)


def is_override(parameters: Resource) -> bool:
    """Whether a decision passes what the rules asked, which asks for a fresh sign-in; an emergency waits for nothing."""
    said = {one.get("name"): one for one in parameters.get("parameter", [])}
    reason = said.get("reason", {}).get("valueCodeableConcept")
    return said.get("decision", {}).get("valueCode") == "justified" and _EMERGENCY not in codes(reason)


async def _decider(call: Call, desk: Desk) -> tuple[str, str]:
    """Who decides: the caller's own person, else the one named in `performer`; 403 with what he lacks."""
    named = desk.caller.practitioner or reference_of(call.value("performer"))
    if not named:
        raise unprocessable(
            "Name the physician who decides: sign in as one, or give `performer`.",
            "请指明作出决定的医师：以本人身份登录，或给出 performer。",
            at=call.at("performer"),
            code="required",
            detail="order.decider-missing",
        )
    person, roles = await person_and_roles(named, desk)
    lacks = may("decide-justification", person, roles, desk.now, zone=desk.settings.time_zone)
    demand(lacks, call.at("performer"))
    staff = staff_facts(person, roles, desk.now, zone=desk.settings.time_zone)
    physician = [title for title in staff.titles if title.series == "physician"]
    return f"Practitioner/{(person or {})['id']}", max(physician, key=lambda title: title.rank).code


def _demand_a_whole_record(call: Call, decision: str, reason: Resource, decider: str, title: str, desk: Desk) -> None:
    known = [line.event.removeprefix("decide-") for line in lifecycle.TRANSITIONS if line.by == "decision"]
    if decision not in known:
        codes_known = ", ".join(dict.fromkeys(known))
        raise unprocessable(
            f"decision is one of {codes_known}.",
            f"decision 须为下列之一：{codes_known}。",
            at=call.at("decision"),
            code="code-invalid",
            detail="order.decision-unknown",
        )
    facts = DecisionFacts(decision, decider, title, desk.now.isoformat(), next(iter(codes(reason)), ""))
    findings = judge_decision(facts, desk.settings.limits, desk.now, desk.settings.zone)
    if findings:
        raise FhirError(422, [Issue("required", zh=f.zh, en=f.en, at=f.at, detail=f.rule) for f in findings])
    if decision == "replace" and not call.value("replacement"):
        raise unprocessable(
            "A replaced request names its replacement.",
            "替代须给出替代申请。",
            at=call.at("replacement"),
            code="required",
            detail="order.replacement-missing",
        )


def _target(state: str, decision: str) -> str:
    table = [line for line in lifecycle.TRANSITIONS if line.by == "decision"]
    try:
        return move(table, state, f"decide-{decision}")
    except IllegalMove as refused:
        legal = ", ".join(line.event.removeprefix("decide-") for line in refused.legal) or "none"
        zh, en = lifecycle.names(state)
        raise conflict(
            f"An exam that is {en} cannot be decided as {decision}. Legal now: {legal}.",
            f"检查处于“{zh}”，不能作出 {decision} 的决定。现在可用：{legal}。",
            at="Task.businessStatus",
            detail="order.illegal-move",
        ) from refused


def _still_open(judgement: Judgement) -> FhirError:
    return FhirError(422, [Issue("business-rule", zh=f.zh, en=f.en, at=f.at, detail=f.rule) for f in judgement.stops])


async def _task_after(
    call: Call, exam: Stored, request: Resource, target: str, judgement: Judgement, desk: Desk
) -> list[Save]:
    members = await contrast_shown(request, exam.resource, target, desk)
    note = call.value("note")
    if note:
        said = {"time": instant(desk.now), "text": str(note)}
        members["note"] = [*exam.resource.get("note", []), said]
    replacement = call.value("replacement")
    if replacement:
        kind = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-output", "code": "replacement"}]}
        members["output"] = [*exam.resource.get("output", []), {"type": kind, "valueReference": replacement}]
    if target != "justified":
        members["statusReason"] = call.value("reason")
    return [resources.moved(exam, target, desk.now, (), **members), *await exam_follows(exam, target, desk)]


async def _overridden(request: Resource, reason: Resource, decider: str, desk: Desk) -> list[Save]:
    """The open findings are answered by the decision, each naming who and why."""
    code = next(iter(codes(reason)), "")
    return [
        resources.mitigated(
            issue, "decided", f"医师决定放行（{code}）。", f"Passed by a physician ({code}).", desk.now, decider
        )
        for issue in await open_issues(request, desk)
        if answered_by_decision(rule_of(issue.resource))
    ]

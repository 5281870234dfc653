"""The exam Task moves along its table, and nothing else about it changes through the API."""

from __future__ import annotations

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write
from slipring.rules.finding import Finding, Weight
from slipring.rules.lifecycle import IllegalMove
from slipring.staff import Reason, may

from slipring_order import identity, late, lifecycle, resources
from slipring_order.discontinuing import coded_reason
from slipring_order.handlers.late_records import recorded_late
from slipring_order.judging import contrast_shown
from slipring_order.people import person_and_roles
from slipring_order.reading import instant, reference_of
from slipring_order.rooms.following import step_follows
from slipring_order.rooms.step import is_step

# What a client may change on an exam Task; the rest follows from the request and the table.
_OPEN = frozenset({"businessStatus", "status", "statusReason", "owner", "executionPeriod", "note", "lastModified"})
_IGNORED = frozenset({"meta", "text", "extension"})


async def task_written(write: Write, desk: Desk) -> Changes:
    """Guard the exam Task; other Tasks kept here are plain records."""
    if not write.imported and any(map(is_step, [write.resource, *([write.before.resource] if write.before else [])])):
        raise unprocessable(
            "A scheduled step follows its exam and its appointment: use $schedule or change the appointment.",
            "检查步骤随检查与预约变动：请使用 $schedule 或修改预约。",
            at="Task.code",
            detail="order.step-follows",
        )
    was_exam = write.before is not None and resources.is_exam(write.before.resource)
    if write.imported or not (was_exam or resources.is_exam(write.resource)):
        return Changes.none()
    if write.method == "delete":
        raise conflict("An exam's Task is never deleted.", "检查任务不可删除。", at="Task", detail="order.exam-is-kept")
    if write.before is None or not was_exam:
        raise unprocessable(
            "An exam's Task is made by the department when a request arrives.",
            "检查任务由科室在收到申请时生成。",
            at="Task.code",
            detail="order.exam-made-by-department",
        )
    _refuse_other_changes(write.resource, write.before.resource)
    return await _moved(write.resource, write.before, desk)


async def _moved(task: Resource, before: Stored, desk: Desk) -> Changes:
    was, target = resources.state_of(before.resource), resources.state_of(task)
    if was == target:
        if task.get("status") != before.resource.get("status"):
            raise unprocessable(
                "Task.status of an exam follows its businessStatus.",
                "检查任务的 status 由 businessStatus 决定。",
                at="Task.status",
                detail="order.status-follows-business-status",
            )
        return Changes.none()
    try:
        lifecycle.by_hand(was, target)
    except IllegalMove as refused:
        if late.tells_the_past(task, target, desk) and was in lifecycle.RECORDED_LATE_FROM:
            return await recorded_late(task, before, was, target, desk)
        raise _illegal(refused) from refused
    if target == "discontinued":
        _demand_a_coded_reason(task)
    if target == "in-progress" and task.get("priority") != "stat" and await identity.waits(before, desk):
        return _identity_unconfirmed(task, desk)
    if target == "in-progress" and (lacks := await _operator_lacks(task, desk)):
        return _not_started(task, lacks, desk)
    members = {**resources.state_members(target, desk.now)}
    members["statusReason"] = task.get("statusReason") if target in ("discontinued", "cancelled") else None
    if target == "in-progress" and not task.get("executionPeriod", {}).get("start"):
        members["executionPeriod"] = {**task.get("executionPeriod", {}), "start": instant(desk.now)}
    request = await desk.read(reference_of(task.get("focus")))
    if request is not None:
        members |= await contrast_shown(request.resource, before.resource, target, desk)
    if target == "justified":
        members["restriction"] = None
    return Changes(members=members, save=await step_follows(before, target, desk))


def _identity_unconfirmed(task: Resource, desk: Desk) -> Changes:
    """Refused until a named person has confirmed who the patient is, and on record that it was tried."""
    zh = "患者档案刚合并或拆分，须先由具名人员确认身份。"
    en = "The patient's records were merged or taken apart: a named person confirms the identity first."
    finding = Finding("order.identity-confirmed", "1", "CL02-A011:5.5.1.1", Weight.STOP, zh, en, "Task.for")
    subject, about = reference_of(task.get("for")), f"Task/{task['id']}"
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=about, now=desk.now)
    refusal = unprocessable(
        "The patient's records were merged or taken apart: a named person confirms the identity first.",
        "患者档案刚合并或拆分，须先由具名人员确认身份。",
        at="Task.for",
        detail="order.identity-confirmed",
    )
    return Changes(save=[Save(issue)], refuse=refusal)


def _demand_a_coded_reason(task: Resource) -> None:
    if not coded_reason(task.get("statusReason")):
        raise unprocessable(
            "A discontinued exam says why by a code of DICOM CID 9300 (110513: unspecified).",
            "中止检查须以 DICOM CID 9300 的代码注明原因（110513 为未说明）。",
            at="Task.statusReason",
            code="required",
            detail="order.discontinuation-reason",
        )


def _refuse_other_changes(task: Resource, before: Resource) -> None:
    names = {*task, *before} - _OPEN - _IGNORED
    changed = sorted(name for name in names if task.get(name) != before.get(name))
    if changed:
        raise FhirError(
            422,
            [
                Issue(
                    "business-rule",
                    zh=f"检查任务的 {name} 不可更改。",
                    en=f"{name} of an exam's Task cannot be changed.",
                    at=f"Task.{name}",
                    detail="order.exam-member-fixed",
                )
                for name in changed
            ],
        )


def _illegal(refused: IllegalMove) -> FhirError:
    here = lifecycle.names(refused.state)
    legal = [f"{lifecycle.names(line.next)[0]}（{line.next}）" for line in refused.legal]
    codes = ", ".join(line.next for line in refused.legal) or "none"
    wanted = refused.event or "-"
    return conflict(
        f"An exam that is {here[1]} cannot become {wanted}. Legal now: {codes}.",
        f"检查处于“{here[0]}”，不能转为 {wanted}。现在可转为：{'、'.join(legal) or '无'}。",
        at="Task.businessStatus",
        detail="order.illegal-move",
    )


async def _operator_lacks(task: Resource, desk: Desk) -> list[Reason]:
    """What the named operator lacks; an exam without a named person is started by the caller."""
    owner = reference_of(task.get("owner"))
    named = owner if owner.startswith(("Practitioner/", "PractitionerRole/")) else desk.caller.practitioner
    if not named:
        return []
    person, roles = await person_and_roles(named, desk)
    return may("operate-ct", person, roles, desk.now, zone=desk.settings.time_zone)


def _not_started(task: Resource, lacks: list[Reason], desk: Desk) -> Changes:
    """Refused, and on record that it was tried."""
    saves, subject = [], reference_of(task.get("for"))
    for reason in lacks:
        finding = Finding(
            "order.operator-qualified", "1", reason.clause, Weight.STOP, reason.zh, reason.en, "Task.owner",
            {"lacks": reason.code},
        )  # fmt: skip
        issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=f"Task/{task['id']}", now=desk.now)
        saves.append(Save(issue))
    issues = [
        Issue("business-rule", zh=r.zh, en=r.en, at="Task.owner", detail="order.operator-qualified") for r in lacks
    ]
    return Changes(save=saves, refuse=FhirError(422, issues))

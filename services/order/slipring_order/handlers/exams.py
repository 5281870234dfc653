"""The exam Task moves along its table, and nothing else about it changes through the API."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Stored, Write
from slipring.rules.lifecycle import IllegalMove

from slipring_order import lifecycle, resources
from slipring_order.handlers.late_records import recorded_late
from slipring_order.judging.contrast import contrast_shown
from slipring_order.life import late
from slipring_order.life.discontinuing import coded_reason
from slipring_order.life.moving import exam_follows
from slipring_order.people import answering, may_any
from slipring_order.reading import instant, reference_of
from slipring_order.rooms.checks import ARRIVAL, before_the_visit, with_input
from slipring_order.rooms.starting import issues_of, start_findings, stopped_by
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
        raise illegal(refused) from refused
    if target == "discontinued":
        await demand_the_department(desk)
        demand_a_coded_reason(task.get("statusReason"), "Task.statusReason")
    if target == "in-progress":
        task = {**task, **await _operator(task, before.resource, desk)}
    findings = await start_findings({**before.resource, **task}, desk) if target == "in-progress" else []
    issues = issues_of(findings, before.resource, desk)
    if stopped := stopped_by(findings):
        return Changes(save=issues, refuse=stopped)
    members = {**resources.state_members(target, desk.now)}
    members["statusReason"] = task.get("statusReason") if target in ("discontinued", "cancelled") else None
    period = _period(task, target, desk)
    if period != task.get("executionPeriod", {}):
        members["executionPeriod"] = period
    request = await desk.read(reference_of(task.get("focus")))
    if request is not None:
        members |= await contrast_shown(request.resource, before.resource, target, desk)
    if target == "justified":
        members |= {"restriction": None, "input": before_the_visit(before.resource)}
    if target == "in-progress" and "owner" in task:
        members["owner"] = task["owner"]
    if target == "arrived":
        members["input"] = with_input(before.resource, ARRIVAL, {"valueInstant": instant(desk.now)})
    return Changes(members=members, save=[*await exam_follows(before, target, desk, period), *issues])


async def _operator(task: Resource, before: Resource, desk: Desk) -> Resource:
    """Who starts the scan: a person that is signed in does so himself, whoever the exam was given to before."""
    if not desk.caller.practitioner:
        return {}
    if task.get("owner") != before.get("owner"):
        await answering(reference_of(task.get("owner")), "Task.owner", desk)
    return {"owner": {"reference": desk.caller.practitioner}}


async def demand_the_department(desk: Desk) -> None:
    """403 for a person who is not of the department: a running exam is stopped by it alone, others ask for an abort."""
    who = desk.caller.practitioner
    if who and await may_any(("operate-ct", "give-contrast", "decide-justification"), who, desk):
        raise forbidden(
            "A running exam is stopped by the department: ask for it by an abort Task.",
            "正在进行的检查由科室中止：请以中止请求（abort Task）提出。",
            at="Task.businessStatus",
            detail="order.stopped-by-department",
        )


def _period(task: Resource, target: str, desk: Desk) -> Resource:
    """When the scan began and ended: as the client says, else now."""
    period: Resource = dict(task.get("executionPeriod", {}))
    if target == "in-progress":
        period.setdefault("start", instant(desk.now))
    if target in ("acquired", "discontinued"):
        period.setdefault("end", instant(desk.now))
    return period


def demand_a_coded_reason(reason: Resource | None, at: str) -> None:
    """422 unless the reason is one of the list."""
    if not coded_reason(reason):
        raise unprocessable(
            "A discontinued exam says why by a code of DICOM CID 9300 (110513: unspecified).",
            "中止检查须以 DICOM CID 9300 的代码注明原因（110513 为未说明）。",
            at=at,
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


def illegal(refused: IllegalMove) -> FhirError:
    """409 with the moves that are legal now."""
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

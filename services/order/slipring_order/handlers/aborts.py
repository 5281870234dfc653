"""Once the scan has begun, the placer can only ask: an abort Task, which the department accepts or rejects by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write
from slipring.rules.lifecycle import IllegalMove, load_table, towards

from slipring_order import lifecycle, resources
from slipring_order.judging.judge import exam_of
from slipring_order.life import discontinuing
from slipring_order.life.moving import exam_follows
from slipring_order.people import answering, demand, may_any
from slipring_order.reading import has_code, instant, reference_of

ABORT_SYSTEM = "http://hl7.org/fhir/CodeSystem/task-code"
TABLE = load_table(Path(__file__).parents[1] / "life" / "aborting.toml")
OPEN = frozenset({"requested", "received"})
_ACTS = ("operate-ct", "decide-justification")


def is_abort(task: Resource) -> bool:
    """Whether a Task asks that an exam be stopped."""
    return has_code(task.get("code"), ABORT_SYSTEM, "abort")


async def abort_written(write: Write, desk: Desk) -> Changes:
    """A placer asks for a stop, or the department answers."""
    if write.before is None:
        return await _asked(write.resource, desk)
    return await _answered(write.resource, write.before.resource, desk)


async def abort_for(request: Resource, exam: Stored, desk: Desk) -> list[Save]:
    """The abort Task that a revocation after the start amounts to; none when one is open already."""
    if await open_aborts(exam.reference, desk):
        return []
    task: Resource = {
        "resourceType": "Task",
        "id": desk.new_id(),
        "basedOn": [{"reference": f"ServiceRequest/{request['id']}"}],
        "status": "requested",
        "intent": "order",
        "priority": request.get("priority", "routine"),
        "code": {"coding": [{"system": ABORT_SYSTEM, "code": "abort"}]},
        "description": "检查开始后申请方撤销了申请。The placer revoked the request after the exam had begun.",
        "focus": {"reference": exam.reference},
        "for": request.get("subject"),
        "authoredOn": instant(desk.now),
        "lastModified": instant(desk.now),
        "requester": request.get("requester"),
    }
    return [Save({name: value for name, value in task.items() if value is not None})]


async def open_aborts(exam: str, desk: Desk) -> list[Stored]:
    """The abort Tasks of an exam that nobody has answered."""
    found = await desk.search(f"Task?focus={exam}&code={ABORT_SYSTEM}|abort")
    return [one for one in found if not one.source and one.resource.get("status") in OPEN]


async def _asked(task: Resource, desk: Desk) -> Changes:
    exam = await _exam(task, desk)
    if not task.get("requester"):
        raise unprocessable(
            "An abort request names who asks.",
            "中止请求须注明请求人。",
            at="Task.requester",
            code="required",
            detail="order.abort-requester",
        )
    if task.get("status") != "requested":
        raise unprocessable(
            "An abort request starts as requested.",
            "中止请求以 requested 状态提出。",
            at="Task.status",
            detail="order.abort-status",
        )
    state = resources.state_of(exam.resource)
    if state in lifecycle.BEFORE_THE_SCAN:
        raise conflict(
            "The exam has not begun: revoke the request (ServiceRequest.status) instead.",
            "检查尚未开始：请撤销申请（ServiceRequest.status）。",
            at="Task.focus",
            detail="order.abort-before-start",
        )
    if state not in ("in-progress", "acquired"):
        raise conflict(
            "The exam is over; nothing is left to abort.",
            "检查已结束，无可中止。",
            at="Task.focus",
            detail="order.abort-after-end",
        )
    if await open_aborts(exam.reference, desk):
        raise conflict(
            "An abort of this exam is asked for already and waits for an answer.",
            "该检查已有待答复的中止请求。",
            at="Task.focus",
            detail="order.abort-open",
        )
    return Changes.none()


async def _answered(task: Resource, before: Resource, desk: Desk) -> Changes:
    was, target = str(before.get("status")), str(task.get("status"))
    if reference_of(task.get("focus")) != reference_of(before.get("focus")) or not is_abort(task):
        raise unprocessable(
            "An abort request stays about its exam.",
            "中止请求所针对的检查不可更改。",
            at="Task.focus",
            detail="order.abort-focus-fixed",
        )
    if was == target:
        return Changes.none()
    try:
        line = towards(TABLE, was, target)
    except IllegalMove as refused:
        raise _illegal(refused) from refused
    if line.by == "placer":
        return Changes.none()
    if line.event in ("accept", "reject"):
        await _demand_a_named_answer(task, line.event, desk)
    return await _stopped(task, desk) if line.event == "accept" else Changes.none()


async def _demand_a_named_answer(task: Resource, event: str, desk: Desk) -> None:
    who = await answering(reference_of(task.get("owner")), "Task.owner", desk)
    issues = []
    if not who:
        issues.append(
            Issue(
                "required",
                zh="答复中止请求须注明负责人。",
                en="An answer to an abort request names who gives it.",
                at="Task.owner",
                detail="order.abort-unnamed",
            )
        )
    if event == "reject" and not task.get("statusReason"):
        issues.append(
            Issue(
                "required",
                zh="拒绝中止须注明原因。",
                en="A rejected abort request has a reason.",
                at="Task.statusReason",
                detail="order.abort-reason",
            )
        )
    if issues:
        raise FhirError(422, issues)
    demand(await may_any(_ACTS, who, desk), "Task.owner")


async def _stopped(task: Resource, desk: Desk) -> Changes:
    """The department accepts: the exam is discontinued with the placer's reason."""
    exam = await _exam(task, desk)
    state = resources.state_of(exam.resource)
    if state != "in-progress":
        zh, en = lifecycle.names(state)
        raise conflict(
            f"The exam is {en}: there is nothing left to stop. Legal now: rejected.",
            f"检查处于“{zh}”，已无可停止。现在可用：rejected。",
            at="Task.status",
            detail="order.abort-illegal-move",
        )
    period = {**exam.resource.get("executionPeriod", {})}
    period.setdefault("end", instant(desk.now))
    members: dict[str, Any] = {
        "statusReason": discontinuing.by_the_placer(task.get("reasonCode")),
        "executionPeriod": period,
    }
    stopped = resources.moved(exam, "discontinued", desk.now, **members)
    return Changes(save=[stopped, *await exam_follows(exam, "discontinued", desk, period)])


async def _exam(task: Resource, desk: Desk) -> Stored:
    focus = reference_of(task.get("focus"))
    if focus.startswith("ServiceRequest/"):
        found = await exam_of(focus, desk)
    else:
        found = await desk.read(focus) if focus.startswith("Task/") else None
    if found is None or not resources.is_exam(found.resource):
        raise unprocessable(
            "An abort request is about an exam's Task, or about its request.",
            "中止请求须针对检查任务或其申请。",
            at="Task.focus",
            detail="order.abort-focus",
        )
    return found


def _illegal(refused: IllegalMove) -> FhirError:
    legal = ", ".join(line.next for line in refused.legal) or "none"
    return conflict(
        f"An abort request that is {refused.state} cannot become {refused.event}. Legal now: {legal}.",
        f"中止请求处于 {refused.state}，不能转为 {refused.event}。现在可转为：{legal}。",
        at="Task.status",
        detail="order.abort-illegal-move",
    )

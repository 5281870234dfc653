"""Everything of the requests' life that waits past its time, as one list for a page or a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order import resources
from slipring_order.judging import follow_ups
from slipring_order.life import green_channel
from slipring_order.reading import moment, reference_of

_ABORT = "http://hl7.org/fhir/CodeSystem/task-code|abort"
_UNDER_WAY = ("arrived", "ready", "in-progress", "acquired")
_HELD = ("awaiting-information", "awaiting-justification")
# Task code -> (limit, what, zh, en): Tasks that a person has to answer within a time from when they were opened.
_TO_ANSWER = {
    _ABORT: ("answer.abort", "abort", "中止请求待答复", "an abort request waits for an answer"),
    f"{resources.TASK_CODE_SYSTEM}|identity-confirmation": (
        "answer.identity", "identity", "身份待确认", "an identity waits to be confirmed",
    ),
    f"{resources.TASK_CODE_SYSTEM}|late-record": (
        "answer.late-record", "late-record", "待补录", "a late record waits to be completed",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overdue:
    """One thing that waits past its time."""

    what: str  # start, end, report: a stage of the green channel; follow-up, abort, identity, late-record, held
    exam: str  # Task/..., the exam
    task: str  # the Task that waits: the exam itself, or one beside it
    due_at: datetime
    zh: str
    en: str


async def waiting(desk: Desk) -> list[Overdue]:
    """All that is overdue now."""
    found = [*await _stages(desk), *await _follow_ups(desk), *await _to_answer(desk), *await _held(desk)]
    return [one for one in found if one.due_at < desk.now]


async def _stages(desk: Desk) -> list[Overdue]:
    states = ",".join(f"{resources.STATE_SYSTEM}|{state}" for state in _UNDER_WAY)
    exams = await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|exam&priority=stat&business-status={states}")
    clocks = [(exam, green_channel.running(await green_channel.times_of(exam, desk), desk)) for exam in exams]
    return [
        Overdue(clock.stage, exam.reference, exam.reference, clock.due_at, *green_channel.names_of(clock.stage))
        for exam, clock in clocks
        if clock is not None
    ]


async def _follow_ups(desk: Desk) -> list[Overdue]:
    found = await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|{follow_ups.CODE}&status=requested")
    due = [(one, follow_ups.due_at(one.resource, desk)) for one in found if not one.source]
    zh, en = "急诊先行的项目待补齐", "what was passed in an emergency waits to be made up for"
    return [Overdue("follow-up", _exam(one), one.reference, by, zh, en) for one, by in due if by is not None]


async def _to_answer(desk: Desk) -> list[Overdue]:
    found = []
    for code, (limit, what, zh, en) in _TO_ANSWER.items():
        span = _minutes(limit, desk)
        for one in await desk.search(f"Task?code={code}&status=requested,received"):
            opened = moment(one.resource.get("authoredOn"), desk.settings.zone) or one.updated_at
            if not one.source:
                found.append(Overdue(what, _exam(one), one.reference, opened + span, zh, en))
    return found


async def _held(desk: Desk) -> list[Overdue]:
    """Exams that have waited too long for information or for a physician's decision; since they last moved."""
    states = ",".join(f"{resources.STATE_SYSTEM}|{state}" for state in _HELD)
    span = _minutes("answer.held", desk)
    zh, en = "申请滞留待处理", "a request is held"
    exams = await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|exam&business-status={states}")
    return [
        Overdue("held", one.reference, one.reference, _moved_at(one, desk) + span, zh, en)
        for one in exams
        if not one.source
    ]


def _moved_at(exam: Stored, desk: Desk) -> datetime:
    return moment(exam.resource.get("lastModified"), desk.settings.zone) or exam.updated_at


def _minutes(limit: str, desk: Desk) -> timedelta:
    day = desk.now.astimezone(desk.settings.zone).date()
    return timedelta(minutes=float(desk.settings.limits.limit(limit, on=day).value))


def _exam(task: Stored) -> str:
    """The exam that a Task stands beside."""
    named = [*task.resource.get("partOf", []), task.resource.get("focus", {})]
    return next((found for one in named if (found := reference_of(one)).startswith("Task/")), _focus(task.resource))


def _focus(task: Resource) -> str:
    return reference_of(task.get("focus"))

"""A piece of work beside the reading: a Task about a report with a deadline, and the timer that says when nobody did it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Due, Resource, Save, Stored, Wake
from slipring.rules.finding import Finding, Limit, Weight

from slipring_report.department import limit_of
from slipring_report.reading import code_of
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE
from slipring_report.worklist.carrying import named
from slipring_report.worklist.life import CLOCK
from slipring_report.worklist.states import Life

TIMER = "work-overdue"
OVERDUE = "report.work-overdue"


def as_work(
    id: str,
    code: str,
    titles: tuple[str, str],
    report: Resource,
    members: dict[str, Any],
    *,
    clause: str,
    now: datetime,
    within: timedelta,
) -> Resource:
    """A Task about a report that somebody must do within a time; `members`: its state and what it carries."""
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "intent": "order",
        "code": {**coded(TASK_CODE, code, titles[0]), "text": " / ".join(titles)},
        "focus": reference(f"DiagnosticReport/{report['id']}"),
        "basedOn": report.get("basedOn", []),
        "reasonCode": coded(f"{CANONICAL}/CodeSystem/clause", clause),
        "authoredOn": written(now),
        "lastModified": written(now),
        "restriction": {"period": {"start": written(now), "end": written(now + within)}},
        **members,
    }
    if "subject" in report:
        task["for"] = report["subject"]
    if "encounter" in report:
        task["encounter"] = report["encounter"]
    return {name: value for name, value in task.items() if value != []}


def timer_of(task: str) -> str:
    """The key of the timer of a piece of work."""
    return f"{TIMER}:{task}"


def watched(task: Resource, within: timedelta) -> Wake:
    """The timer that says when nobody did it in time."""
    return Wake(TIMER, f"Task/{task['id']}", within, timer_of(f"Task/{task['id']}"))


def within(desk: Desk, name: str) -> timedelta:
    """How long a piece of work may take."""
    return timedelta(hours=float(limit_of(desk, name).value))


async def work_overdue(due: Due, desk: Desk) -> Changes:
    """Nobody did it in time: the Task says so, and one finding that names no patient."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] in ("completed", "cancelled", "entered-in-error"):
        return Changes.none()
    codings = [one for one in task.resource["businessStatus"]["coding"] if one["system"] != CLOCK]
    state = task.resource["businessStatus"]
    late = {**state, "coding": [*codings, named(("reporting-clock", "breached"))["coding"][0]]}
    moved = {**task.resource, "businessStatus": late, "lastModified": written(desk.now)}
    return Changes(save=[Save(moved, replaces=task.version), Save(_finding(task.resource, desk))])


def moved(task: Resource, life: Life, state: str, *outputs: Resource, now: datetime) -> Resource:
    """The Task in another state, with what was said; while it is open it goes on being late, or not."""
    clock = code_of(task["businessStatus"], CLOCK)
    open_still = clock and life.status[state] not in ("completed", "cancelled")
    tree = {
        **task,
        **life.members(state, *([("reporting-clock", clock)] if open_still else [])),
        "output": [*task.get("output", []), *outputs],
        "lastModified": written(now),
    }
    return {name: value for name, value in tree.items() if value != []}


def work_called(call: Call, code: str) -> Stored:
    """The Task of this code that an operation is called on."""
    if call.target is None or code_of(call.target.resource.get("code"), TASK_CODE) != code:
        raise unprocessable(
            f"This is called on a Task of code {code}.",
            f"该操作须针对代码为 {code} 的任务调用。",
            at="Task.code",
            detail="report.other-work",
        )
    return call.target


def text_of(call: Call, name: str, en: str, zh: str) -> str:
    """A text that must be said; refused at its parameter when it is blank."""
    text = str(call.value(name) or "").strip()
    if not text:
        raise unprocessable(
            f"{name}: {en}", f"{name}：{zh}", at=call.at(name), code="required", detail="report.work-text-missing"
        )
    return text


def code_in(call: Call, name: str, known: Sequence[str], *, unless: str = "") -> str:
    """A code that must be one of those known; `unless`: what it is when nothing is said."""
    code = str(call.value(name) or unless)
    if code not in known:
        raise unprocessable(
            f"{name} is one of {', '.join(known)}.",
            f"{name} 须为以下之一：{'、'.join(known)}。",
            at=call.at(name),
            code="code-invalid",
            detail="report.work-code",
        )
    return code


def _finding(task: Resource, desk: Desk) -> Resource:
    end = datetime.fromisoformat(task["restriction"]["period"]["end"])
    clause = code_of(task.get("reasonCode"), f"{CANONICAL}/CodeSystem/clause")
    code = code_of(task.get("code"), TASK_CODE)
    zh = f"任务（{code}）超过时限，尚无人完成。"
    en = f"Work ({code}) is overdue and nobody has done it."
    begun = datetime.fromisoformat(task["restriction"]["period"]["start"])
    hours = (end - begun) / timedelta(hours=1)
    limit = Limit(f"work.{code}", hours, "the deadline that stands on the Task", "U", begun.date(), "h")
    finding = Finding(OVERDUE, "1", clause, Weight.WARN, zh, en, "Task.restriction.period.end", {}, limit)
    return as_detected_issue(finding, id=desk.new_id(), subject="", about=f"Task/{task['id']}", now=desk.now)

"""A conference is planned, cases and people are put on it, and it is held; a week without one is on record (5.7.1, 5.1.8)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Changes, Desk, Due, Resource, Save, Stored, Wake
from slipring.rules.finding import Finding, Weight

from slipring_report import conference
from slipring_report.conference.resources import (
    CASE,
    CONFERENCE,
    as_case,
    as_conference,
    attendees,
    with_attendees,
)
from slipring_report.department import limit_of
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, written
from slipring_report.worklist.people import acting, person_acting, person_behind
from slipring_report.worklist.states import life
from slipring_report.worklist.work_task import text_of, work_called

LIFE = life("conference", "conference-state", Path(conference.__file__).with_name("life.toml"))
CASES = life("conference-case", "conference-case-state", Path(conference.__file__).with_name("case_life.toml"))
DUE = "conference-due"
WEEKLY = "report.conference-weekly"
CHAIRS, LISTS = "sign-report", "draft-report"  # acts of slipring.staff
_DAYS = "conference.every_days"


async def conference_planned(call: Call, desk: Desk) -> Changes:
    """Plan a conference; from the first one on, a week without any is noticed."""
    chair = await acting(call, desk, CHAIRS, "chair")
    start = _moment(call)
    members = LIFE.members(LIFE.after("none", "plan"))
    planned = as_conference(desk.new_id(), start, chair, str(call.value("place") or ""), members, now=desk.now)
    first = not await desk.search(f"Task?code={CONFERENCE}&status=completed")
    wake = [_weekly(f"Task/{planned['id']}", desk)] if first else []
    return Changes(save=[Save(planned)], wake=wake, answer=parameters(("return", "resource", planned)))


async def case_listed(call: Call, desk: Desk) -> Changes:
    """Put a report on a conference, with what is asked."""
    task = work_called(call, CONFERENCE)
    LIFE.after(LIFE.state_of(task.resource), "add-case")
    who = await acting(call, desk, LISTS)
    question = text_of(call, "question", "say what is asked of the conference.", "请写明需讨论的问题。")
    report = await desk.read(reference_of(call.value("report")) or "DiagnosticReport/none")
    if report is None or report.resource["resourceType"] != "DiagnosticReport":
        raise unprocessable(
            "report names a DiagnosticReport that is known here.",
            "report 须引用此处已知的报告。",
            at=call.at("report"),
            code="not-found",
            detail="report.conference-report-unknown",
        )
    for one in await desk.search(f"Task?code={CASE}&part-of={task.reference}"):
        if reference_of(one.resource.get("focus")) == report.reference:
            raise conflict(
                "This report is on the conference already.",
                "该报告已列入本次讨论。",
                at=call.at("report"),
                detail="report.conference-case-listed",
            )
    members = CASES.members(CASES.after("none", "list"))
    case = as_case(desk.new_id(), task.resource, report.resource, question, who, members, now=desk.now)
    return Changes(save=[Save(case)], answer=parameters(("return", "resource", case)))


async def people_attended(call: Call, desk: Desk) -> Changes:
    """Put on record who is there; each person once, and everybody on the staff register."""
    task = work_called(call, CONFERENCE)
    LIFE.after(LIFE.state_of(task.resource), "attend")
    await person_acting(call, desk)
    people = []
    for position, value in enumerate(call.values("person")):
        who = await person_behind(reference_of(value), desk)
        if not who.startswith("Practitioner/") or await desk.read(who) is None:
            raise unprocessable(
                "person names somebody on the staff register.",
                "person 须为已登记的人员。",
                at=f"Parameters.parameter.where(name='person')[{position}]",
                code="not-found",
                detail="report.attendee-unknown",
            )
        people.append(who)
    if not people:
        raise unprocessable(
            "Say who is there (person).",
            "请填写到会人员（person）。",
            at=call.at("person"),
            code="required",
            detail="report.attendee-missing",
        )
    there = {**task.resource, "input": with_attendees(task.resource, people), "lastModified": written(desk.now)}
    return Changes(save=[Save(there, replaces=task.version)], answer=parameters(("return", "resource", there)))


async def conference_closed(call: Call, desk: Desk) -> Changes:
    """The conference was held: somebody besides its chair was there; cases that were not reached are put off."""
    task = work_called(call, CONFERENCE)
    chair = await acting(call, desk, CHAIRS)
    state = LIFE.after(LIFE.state_of(task.resource), "close")
    least = int(limit_of(desk, "conference.least_people").value)
    if len({*attendees(task.resource), chair}) < least:
        raise unprocessable(
            f"A conference has at least {least} people; say who was there with $attend.",
            f"讨论至少 {least} 人参加；请先用 $attend 登记到会人员。",
            at="Task.input.where(type.coding.code='attendee')",
            detail="report.conference-alone",
        )
    held: dict[str, Any] = {
        **task.resource,
        **LIFE.members(state),
        "input": with_attendees(task.resource, [chair]),
        "executionPeriod": {"end": written(desk.now)},
        "lastModified": written(desk.now),
    }
    put_off = [
        Save(
            {**one.resource, **CASES.members(CASES.after("listed", "put-off")), "lastModified": written(desk.now)},
            one.version,
        )
        for one in await desk.search(f"Task?code={CASE}&part-of={task.reference}")
        if CASES.state_of(one.resource) == "listed"
    ]
    return Changes(
        save=[Save(held, replaces=task.version), *put_off],
        wake=[_weekly(task.reference, desk)],
        answer=parameters(("return", "resource", held)),
    )


async def conference_due(due: Due, desk: Desk) -> Changes:
    """A week has gone by and no conference was held: on record once for each such week."""
    limit = limit_of(desk, _DAYS)
    zh = f"已有 {limit.value} 天未举行疑难病例讨论。"
    en = f"No conference on difficult cases was held for {limit.value} days."
    finding = Finding(WEEKLY, "1", "CL02-A011:5.7.1", Weight.WARN, zh, en, "Task.code", {}, limit)
    issue = as_detected_issue(finding, id=desk.new_id(), subject="", about=due.subject, now=desk.now)
    return Changes(save=[Save(issue)], wake=[_weekly(due.subject, desk)])


async def attendance_asked(call: Call, desk: Desk) -> Changes:
    """Who was at how many of the conferences that were held in a period; nothing is stored (5.1.8)."""
    period = call.value("period") or {}
    held = [one.resource for one in await desk.search(f"Task?code={CONFERENCE}&status=completed") if not one.source]
    within = [one for one in held if _falls(one, period)]
    counted = Counter(who for one in within for who in set(attendees(one)))
    answer = parameters(("held", "Integer", len(within)))
    answer["parameter"] += [
        {
            "name": "person",
            "part": [{"name": "who", "valueReference": {"reference": who}}, {"name": "attended", "valueInteger": n}],
        }
        for who, n in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    ]
    return Changes(answer=answer)


def _falls(held: Resource, period: Resource) -> bool:
    on = str(held.get("restriction", {}).get("period", {}).get("start", ""))[:10]
    return str(period.get("start", ""))[:10] <= on <= (str(period.get("end", ""))[:10] or "9999")


def _weekly(conference: str, desk: Desk) -> Wake:
    """The timer that the next conference that is held sets anew; it begins a day late, so that one may last longer."""
    grace = timedelta(hours=float(limit_of(desk, "conference.grace_hours").value))
    return Wake(DUE, conference, timedelta(days=int(limit_of(desk, _DAYS).value)) + grace, DUE)


def _moment(call: Call) -> str:
    text = str(call.value("start") or "")
    if zoned(text) is None:
        raise unprocessable(
            "start is a moment with a time zone.",
            "start 须为带时区的时刻。",
            at=call.at("start"),
            code="value",
            detail="report.conference-start",
        )
    return text


def conference_of(case: Stored) -> str:
    """The conference that a case is on."""
    return next((reference_of(one) for one in case.resource.get("partOf", [])), "")

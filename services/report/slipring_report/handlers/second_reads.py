"""`Task/$second-read`: the second reader says whether he agrees; a major discrepancy is told to the clinician at once."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Due, Resource, Save, Stored, successor

from slipring_report.emergency.policy import grades
from slipring_report.emergency.resources import graded
from slipring_report.notices.receivers import receivers_of
from slipring_report.notices.resources import as_notice
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import coded, parameters, reference, versioned, written
from slipring_report.signatures.facts import licences
from slipring_report.signatures.gathering import signatures_of
from slipring_report.signatures.people import lacking
from slipring_report.vocabulary import SECOND_READ_STATE, TASK_CODE


async def second_read_graded(call: Call, desk: Desk) -> Changes:
    """Put the grade on record. The read ends when both signatures stand: on what was released, or on its correction."""
    task, report = await _waiting(call, desk)
    grade, note = _grade(call), str(call.value("note") or "")
    by = await _reader(call, report, desk)
    members = graded(task.resource, grade, note, by, desk.now)
    notices = await _told(report, grade, note, by, desk)
    return Changes(
        save=[successor(task, **members), *map(Save, notices)],
        answer=parameters(
            ("return", "resource", {**task.resource, **members}),
            *[("notice", "Reference", reference(f"Communication/{one['id']}")) for one in notices],
        ),
    )


async def second_read_overdue(due: Due, desk: Desk) -> Changes:
    """Nobody has read it a second time in time: the Task says so, for health, pages and people to see."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] != "requested":
        return Changes.none()
    state = coded(SECOND_READ_STATE, "overdue")
    return Changes(save=[successor(task, businessStatus=state, lastModified=written(desk.now))])


async def _waiting(call: Call, desk: Desk) -> tuple[Stored, Stored]:
    task = call.target
    report = await desk.read(reference_of(task.resource.get("focus"))) if task else None
    if task is None or report is None or code_of(task.resource.get("code"), TASK_CODE) != "second-read":
        raise unprocessable(
            "This Task is no second read.",
            "该 Task 不是复核阅片任务。",
            at="Task.code",
            code="not-supported",
            detail="report.no-second-read",
        )
    if task.resource["status"] == "completed":
        raise conflict(
            "This second read is done.",
            "该复核阅片已完成。",
            at="Task.status",
            detail="report.second-read-done",
        )
    return task, report


def _grade(call: Call) -> str:
    grade = call.value("grade")
    if grade not in grades():
        raise unprocessable(
            f"grade is one of {', '.join(grades())}.",
            f"grade 须为 {'、'.join(grades())} 之一。",
            at=call.at("grade"),
            code="code-invalid",
            detail="report.second-read-grade",
        )
    return str(grade)


async def _reader(call: Call, report: Stored, desk: Desk) -> str:
    """One who may issue reports and is not the one who signed, by person and by licence."""
    person = desk.caller.practitioner or reference_of(call.value("by"))
    if lacks := await lacking("sign-report", person, desk):
        at = call.at("by")
        raise FhirError(
            422, [Issue("business-rule", zh=one.zh, en=one.en, at=at, detail=f"staff.{one.code}") for one in lacks]
        )
    held = await desk.read(person)
    numbers = licences(held.resource) if held else set()
    for each in await signatures_of(report.reference, desk):
        if each.stands and (each.who == person or numbers & set(each.licences)):
            raise unprocessable(
                "The second reader is another person than the one who signed.",
                "复核阅片须由签名者以外的医师进行。",
                at=call.at("by"),
                detail="report.second-reader-differs",
            )
    return person


async def _told(report: Stored, grade: str, note: str, by: str, desk: Desk) -> list[Resource]:
    if not grades()[grade].get("told"):
        return []
    return [
        as_notice(
            "major-discrepancy", report.resource, versioned(report), who, id=desk.new_id(), sender=by, now=desk.now
        )
        for who in await receivers_of(report, desk, but=[by])
    ]

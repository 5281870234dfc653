"""A conference and its cases in FHIR spelling, and what a case's result looks like in a report. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE
from slipring_report.worklist.carrying import named, said, told

CONFERENCE, CASE = "conference", "conference-case"
SECTION = f"{CANONICAL}/CodeSystem/report-section"


def as_conference(id: str, start: str, chair: str, place: str, members: dict[str, Any], *, now: datetime) -> Resource:
    """A conference that is planned."""
    conference = {
        "resourceType": "Task",
        "id": id,
        "intent": "plan",
        "code": {**coded(TASK_CODE, CONFERENCE, "疑难病例讨论"), "text": "疑难病例讨论 / case conference"},
        "authoredOn": written(now),
        "lastModified": written(now),
        "owner": reference(chair),
        "restriction": {"period": {"start": start}},
        **members,
    }
    return {**conference, "description": place} if place else conference


def as_case(
    id: str, conference: Resource, report: Resource, question: str, who: str, members: dict[str, Any], *, now: datetime
) -> Resource:
    """A case that a conference will look at."""
    case = {
        "resourceType": "Task",
        "id": id,
        "intent": "order",
        "code": {**coded(TASK_CODE, CASE, "讨论病例"), "text": "讨论病例 / case of a conference"},
        "partOf": [reference(f"Task/{conference['id']}")],
        "basedOn": report.get("basedOn", []),
        "focus": reference(f"DiagnosticReport/{report['id']}"),
        "description": question,
        "requester": reference(who),
        "authoredOn": written(now),
        "lastModified": written(now),
        **members,
    }
    if "subject" in report:
        case["for"] = report["subject"]
    return {name: value for name, value in case.items() if value != []}


def attendees(conference: Resource) -> list[str]:
    """Who was there."""
    return [str(one.get("reference", "")) for one in told(conference, "attendee")]


def with_attendees(conference: Resource, people: Iterable[str]) -> list[Resource]:
    """The inputs of a conference with these people on it, each once."""
    there = attendees(conference)
    new = [one for one in dict.fromkeys(people) if one not in there]
    return [*conference.get("input", []), *(said("attendee", valueReference=reference(one)) for one in new)]


def with_result(composition: Resource, result: str, on: str) -> Resource:
    """The text of a report with the result of a conference as a section of its own at the end."""
    heading = f"科内讨论意见（{on}） / Department conference ({on})"
    words = escape(result).replace("\n", "<br/>")
    section = {
        "title": heading,
        "code": named(("report-section", "conference")),
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'},
    }
    return {**composition, "section": [*composition.get("section", []), section]}

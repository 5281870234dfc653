"""Blind re-reading in FHIR spelling: the draw and its cases name exams, never a report or who read it (5.6.2.3). Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored
from slipring.qc.report.sampling import Draw

from slipring_report.learning import answers
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE

DRAW, CASE = "re-reading-draw", "re-reading"
PARAMETER = f"{CANONICAL}/CodeSystem/re-reading-parameter"


def is_case(task: Resource) -> bool:
    """Whether a Task is one case to be read again."""
    return code_of(task.get("code"), TASK_CODE) == CASE


def categories(response: Resource) -> tuple[str, str]:
    """What the first and the second reading came to, of a second reading that was graded."""
    return answers.code(response, "first-category"), answers.code(response, "category")


def as_draw(draw: Draw, period: Resource, by: str, *, id: str, now: datetime) -> Resource:
    """The record of a draw: all that is needed to draw it again, and nothing of who read what."""
    said: list[tuple[str, str, Any]] = [
        ("method", "String", draw.method),
        ("seed", "String", draw.seed),
        ("drawn-on", "Date", draw.on.isoformat()),
        ("period", "Period", period),
        ("population", "UnsignedInt", draw.population),
        ("list-sha256", "String", draw.list_sha256),
        *[(f"of-{stratum}", "UnsignedInt", len(each)) for stratum, each in draw.chosen.items()],
        ("clause", "String", "CL02-A011:5.6.2.3"),
    ]
    return {
        "resourceType": "Task",
        "id": id,
        "status": "completed",
        "intent": "order",
        "code": coded(TASK_CODE, DRAW, "复阅抽样"),
        "authoredOn": written(now),
        "lastModified": written(now),
        "requester": reference(by),
        "input": [{"type": _named(name), f"value{kind}": value} for name, kind, value in said],
    }


def as_case(
    report: Resource, request: str, system: str, reader: str, *, draw: str, id: str, due: timedelta, now: datetime
) -> Resource:
    """One case for one reader: the exam, the patient, the body system and by when; not the report, nor who signed it."""
    return {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": coded(TASK_CODE, CASE, "盲法复阅"),
        "partOf": [reference(f"Task/{draw}")],
        "focus": reference(request),
        "for": report["subject"],
        "owner": reference(reader),
        "authoredOn": written(now),
        "lastModified": written(now),
        "restriction": {"period": {"start": written(now), "end": written(now + due)}},
        "input": [{"type": _named("system"), "valueCode": system}],
    }


def system_of(task: Resource) -> str:
    """The stratum that a case was drawn from."""
    return next((str(one.get("valueCode")) for one in task.get("input", []) if "valueCode" in one), "")


def reader_of(task: Resource) -> str:
    """Who reads it again."""
    return reference_of(task.get("owner"))


def answered(task: Stored, response: str, now: datetime) -> dict[str, Any]:
    """The members of a case that was answered."""
    output = {"type": _named("answer"), "valueReference": reference(response)}
    return {"status": "completed", "lastModified": written(now), "output": [output]}


def _named(name: str) -> Resource:
    return {"coding": [{"system": PARAMETER, "code": name}], "text": name}

"""Decisions out: the Tasks and issues this service writes, in FHIR spelling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import instant, reference_of
from slipring_consent.screening.form import questionnaire_canonical

TASK_CODE = f"{CANONICAL}/CodeSystem/task-code"
EXAM_STATE = f"{CANONICAL}/CodeSystem/exam-state"
PARAMETER = f"{CANONICAL}/CodeSystem/task-parameter"

_TITLES = {
    "screening": ("对比剂筛查与知情同意", "Screen and obtain consent for contrast"),
    "late-record": ("待补录：请具名人员补全", "To be recorded late by a named person"),
    "notice": ("通知", "Notice"),
    "nonconformity": ("不符合项：未获许可即使用对比剂", "Nonconformity: contrast given without permission"),
}


def concept(system: str, code: str, zh: str, en: str = "") -> Resource:
    """A CodeableConcept with one code and its text in both languages."""
    return {"coding": [{"system": system, "code": code, "display": en or zh}], "text": f"{zh} / {en}" if en else zh}


def _task(task_id: str, code: str, *, status: str, patient: str, now: datetime, **members: Any) -> Resource:
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": status,
        "intent": "order",
        "code": concept(TASK_CODE, code, *_TITLES[code]),
        **({"for": {"reference": patient}} if patient else {}),
        "authoredOn": instant(now),
        **members,
    }


def as_screening_task(task_id: str, request: Resource, *, now: datetime) -> Resource:
    """The Task "screen and obtain consent" for one contrast request, with the questionnaire as its input."""
    exam = {"reference": f"ServiceRequest/{request['id']}"}
    asked = {
        "type": concept(PARAMETER, "questionnaire", "筛查表", "questionnaire"),
        "valueCanonical": questionnaire_canonical(),
    }
    return _task(
        task_id,
        "screening",
        status="requested",
        patient=reference_of(request.get("subject")),
        now=now,
        basedOn=[exam],
        focus=exam,
        input=[asked],
        priority=request.get("priority", "routine"),
    )


def as_nonconformity(task_id: str, administration: Resource, exam: str, *, now: datetime) -> Resource:
    """The Task that follows a fact for which no permission stood."""
    members: dict[str, Any] = {"basedOn": [{"reference": exam}]} if exam else {}
    return _task(
        task_id,
        "nonconformity",
        status="requested",
        patient=reference_of(administration["subject"]),
        now=now,
        focus={"reference": f"MedicationAdministration/{administration['id']}"},
        reasonCode=concept(
            f"{CANONICAL}/CodeSystem/clause", "CL02-A011:5.4.1", "使用对比剂前须有许可", "permission first"
        ),
        **members,
    )


def as_late_record(
    task_id: str, administration: Resource, exam: str, given: list[dict[str, Any]], *, now: datetime
) -> Resource:
    """The Task that keeps what was sent of an injection until a named person has recorded it."""
    patient = reference_of(administration["subject"])
    about = {"focus": {"reference": exam or patient}} if exam or patient else {}
    return _task(
        task_id, "late-record", status="requested", patient=patient, now=now, lastModified=instant(now), input=given, **about
    )  # fmt: skip


def as_notice(task_id: str, administration: Resource, who: str, zh: str, en: str, *, now: datetime) -> Resource:
    """The Task that tells one person at once what has changed about an injection that runs."""
    return _task(
        task_id,
        "notice",
        status="requested",
        patient=reference_of(administration["subject"]),
        now=now,
        priority="stat",
        description=f"{zh}{en}",
        focus={"reference": f"MedicationAdministration/{administration['id']}"},
        owner={"reference": who},
    )


def questionnaire_answered(task: Resource, response: str) -> dict[str, Any]:
    """What changes in the screening Task once its questionnaire is answered."""
    answered = {
        "type": concept(PARAMETER, "questionnaire-response", "筛查结果", "questionnaire response"),
        "valueReference": {"reference": response},
    }
    return {"status": "completed", "output": [*task.get("output", []), answered]}

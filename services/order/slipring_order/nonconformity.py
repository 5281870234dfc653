"""A nonconformity as a Task: what is wrong, about what, under which clause; its life is the quality table's (4.9-4.12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import instant
from slipring_order.resources import TASK_CODE_SYSTEM

CLAUSE_SYSTEM = f"{CANONICAL}/CodeSystem/clause"


def nonconformity(
    *, id: str, zh: str, en: str, clause: str, about: str, now: datetime, evidence: Sequence[str] = (), who: str = ""
) -> Resource:
    """The Task; `evidence`: references of the findings or records that showed it."""
    return department_task(
        "nonconformity", id=id, zh=zh, en=en, clause=clause, about=about, now=now, evidence=evidence, who=who
    )


def of_an_exam(made: Resource, exam: Resource) -> Resource:
    """A nonconformity with whose exam it is about."""
    named = {name: exam[name] for name in ("basedOn", "for") if exam.get(name)}
    return {**made, **named, "partOf": [{"reference": f"Task/{exam['id']}"}]}


def department_task(
    code: str,
    *,
    id: str,
    zh: str,
    en: str,
    clause: str,
    about: str,
    now: datetime,
    evidence: Sequence[str] = (),
    who: str = "",
) -> Resource:
    """A Task of the department about one of its people, papers or devices."""
    english = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": en}]
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": code}]},
        "description": zh,
        "_description": {"extension": [{"url": TRANSLATION, "extension": english}]},
        "focus": {"reference": about} if about else None,
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "requester": {"reference": who} if who else None,
        "reasonCode": {"coding": [{"system": CLAUSE_SYSTEM, "code": clause}]},
        "reasonReference": {"reference": evidence[0]} if evidence else None,
    }
    return {name: value for name, value in task.items() if value is not None}

"""The notice that tells one person something about a Task of the reading room. Pure."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.service import Resource

from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE


def as_notice(id: str, about: str, who: str, zh: str, en: str, *, now: datetime) -> Resource:
    """A Task of code notice for one person; it says nothing about a patient."""
    return {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": {**coded(TASK_CODE, "notice", "通知"), "text": "通知 / notice"},
        "description": f"{zh}{en}",
        "focus": reference(about),
        "authoredOn": written(now),
        "lastModified": written(now),
        "owner": reference(who),
    }

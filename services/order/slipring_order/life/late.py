"""What already happened is always stored: under a named person, with a reason and a nonconformity (mechanisms: facts).

Who may not record it late is told so, and what he sent is kept for the named person to complete.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored, successor

from slipring_order import resources
from slipring_order.nonconformity import nonconformity, of_an_exam
from slipring_order.reading import instant, moment

RECORD_LATE = "slipring/record-late"
CODE = "late-record"
_FACTS = frozenset({"acquired", "discontinued"})
_INPUT = f"{CANONICAL}/CodeSystem/task-input"


def tells_the_past(task: Resource, target: str, desk: Desk) -> datetime | None:
    """When the scan ended, where a Task tells of one that is over; None when it asks for something now."""
    ended_at = moment(task.get("executionPeriod", {}).get("end"), desk.settings.zone)
    return ended_at if target in _FACTS and ended_at is not None and ended_at <= desk.now else None


async def kept(task: Resource, desk: Desk) -> list[Save]:
    """What was sent without the right to record it, kept for the named person; once, however often it is sent."""
    body = json.dumps(_told(task), ensure_ascii=False, default=str).encode()
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()  # Attachment.hash is SHA-1
    for one in await waiting(f"Task/{task['id']}", desk):
        if any(entry.get("valueAttachment", {}).get("hash") == digest for entry in one.resource.get("input", [])):
            return []
    sent = {"contentType": "application/fhir+json", "data": base64.b64encode(body).decode(), "hash": digest}
    return [Save(_beside(task, CODE, "待补录：请具名人员补全。To be recorded late by a named person.", desk, sent))]


async def waiting(exam: str, desk: Desk) -> list[Stored]:
    """The kept records of an exam that nobody has completed."""
    found = await desk.search(f"Task?focus={exam}&code={resources.TASK_CODE_SYSTEM}|{CODE}&status=requested")
    return [one for one in found if not one.source]


async def completed(exam: str, who: str, desk: Desk) -> list[Save]:
    """The kept records of an exam whose end is on record now, whoever told it; `who` is empty for no person."""
    ended = {"status": "completed", "lastModified": instant(desk.now), "owner": {"reference": who} if who else None}
    return [successor(one, **ended) for one in await waiting(exam, desk)]


def unpermitted(task: Resource, stood: str, who: str, clause: str, desk: Desk) -> Resource:
    """That an exam was carried out without its permission; `stood`: the state it was in."""
    zh, en = "未经许可已进行的检查，事后补录。", "An exam was carried out without its permission and recorded late."
    made = nonconformity(
        id=desk.new_id(), zh=zh, en=en, clause=clause, about=f"Task/{task['id']}", now=desk.now, who=who
    )
    state = {"type": _type("state"), "valueCodeableConcept": resources.state_concept(stood)}
    return {**of_an_exam(made, task), "input": [state]}


def _told(task: Resource) -> Resource:
    names = ("resourceType", "id", "businessStatus", "statusReason", "owner", "executionPeriod", "note")
    return {name: task[name] for name in names if name in task}


def _type(code: str) -> Resource:
    return {"coding": [{"system": _INPUT, "code": code}]}


def _beside(task: Resource, code: str, description: str, desk: Desk, sent: Resource) -> Resource:
    exam = {"reference": f"Task/{task['id']}"}
    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": desk.new_id(),
        "basedOn": task.get("basedOn"),
        "partOf": [exam],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": code}]},
        "description": description,
        "focus": exam,
        "for": task.get("for"),
        "authoredOn": instant(desk.now),
        "lastModified": instant(desk.now),
        "input": [{"type": _type("sent"), "valueAttachment": sent}],
    }
    return {name: value for name, value in made.items() if value is not None}

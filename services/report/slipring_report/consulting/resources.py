"""What people of the reading room and the clinic tell each other, as Communications. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import MESSAGE_CATEGORY
from slipring_report.worklist.carrying import named

CONSULTATION = "consultation"


def as_message(
    id: str,
    category: str,
    report: str,
    about: Resource,
    *,
    sender: str,
    recipient: Resource,
    text: str,
    now: datetime,
    completed: bool,
    medium: str = "",
    part_of: str = "",
) -> Resource:
    """One message about a report; `about`: the report or a Task on it, for its patient and request."""
    message: dict[str, Any] = {
        "resourceType": "Communication",
        "id": id,
        "basedOn": about.get("basedOn", []),
        "partOf": [reference(part_of)] if part_of else [],
        "status": "completed" if completed else "in-progress",
        "category": [coded(MESSAGE_CATEGORY, category)],
        "about": [reference(report)] if report else [],
        "sent": written(now),
        "recipient": [recipient],
        "sender": reference(sender),
        "payload": [{"contentString": text}],
    }
    if subject := about.get("subject") or about.get("for"):
        message["subject"] = subject
    if medium:
        message["medium"] = [named(("contact-medium", medium))]
    if completed:
        message["received"] = written(now)
    return {name: value for name, value in message.items() if value != []}


def as_answer(id: str, question: Resource, *, sender: str, text: str, now: datetime) -> Resource:
    """The answer to a question: to whoever asked, in response to it."""
    kept = ("basedOn", "category", "subject", "about")
    return {
        "resourceType": "Communication",
        "id": id,
        **{name: question[name] for name in kept if name in question},
        "inResponseTo": [reference(f"Communication/{question['id']}")],
        "status": "completed",
        "sent": written(now),
        "recipient": [question["sender"]],
        "sender": reference(sender),
        "payload": [{"contentString": text}],
    }

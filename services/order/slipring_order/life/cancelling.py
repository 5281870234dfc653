"""An exam is cancelled before its scan: why, and what it gives back."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored

from slipring_order import resources
from slipring_order.life.moving import exam_follows

CANCEL_SYSTEM = f"{CANONICAL}/CodeSystem/cancellation"
_CANCELLATIONS = {
    "revoked": ("申请方撤销申请", "the placer revoked the request"),
    "entered-in-error": ("申请为误录", "the request was entered in error"),
    "replaced": ("已由新申请替代", "a new request takes its place"),
}


def cancellations() -> dict[str, dict[str, str]]:
    """Why an exam was cancelled, with names in both languages."""
    return {code: {"zh": zh, "en": en} for code, (zh, en) in _CANCELLATIONS.items()}


def cancellation(code: str) -> Resource:
    """The reason as a CodeableConcept."""
    zh, en = _CANCELLATIONS[code]
    return {"coding": [{"system": CANCEL_SYSTEM, "code": code, "display": en}], "text": zh}


async def cancelled(exam: Stored, code: str, desk: Desk) -> list[Save]:
    """The exam is cancelled before its scan, and what was booked for it is free again."""
    moved = resources.moved(exam, "cancelled", desk.now, statusReason=cancellation(code))
    return [moved, *await exam_follows(exam, "cancelled", desk)]

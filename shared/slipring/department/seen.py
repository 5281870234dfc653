"""What a form was made from: when it is no longer so, whoever sends the form is told, and nothing is done. Pure."""

from __future__ import annotations

import hashlib

from slipring.department.bookings import Booking
from slipring.department.exams import Exam
from slipring.fhir.outcome import FhirError, conflict


def seen(exam: Exam, booking: Booking | None = None) -> str:
    """A short mark of what a person decides on: the state, the time on a scanner, and the findings that are open."""
    open_findings = sorted(f"{one.id}{one.weight}" for one in exam.findings or [] if one.open)
    held = f"{booking.scanner}{booking.starts_at.isoformat()}" if booking else ""
    told = "|".join((exam.state, exam.priority, held, *open_findings))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def changed_meanwhile(what: tuple[str, str] = ("", "")) -> FhirError:
    """409: somebody was quicker. `what`: how it stands now, in Chinese and English."""
    zh, en = what
    return conflict(
        "This changed while the form was open. Nothing was done: look at it as it stands now, then press again."
        + (f" It is now: {en}." if en else ""),
        "填写期间情况已有变化，未执行任何操作；请查看当前状态后再次提交。" + (f"目前为：{zh}。" if zh else ""),
        detail="department.changed-meanwhile",
    )

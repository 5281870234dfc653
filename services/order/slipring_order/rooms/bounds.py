"""The bounds of a time that is booked or blocked: it runs forwards, is not over, not too long and not too far away."""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Desk

from slipring_order.rooms.appointments import longest
from slipring_order.rooms.day import Span, rooms_data


def refuse_bad_span(span: Span, at: str, desk: Desk) -> None:
    """422 for a time that an exam cannot have."""
    _refuse_backwards(span, at)
    if span.ends_at <= desk.now:
        raise unprocessable("The slot lies in the past.", "所选时段已过。", at=at, detail="order.slot-past")
    _refuse_too_long(span, longest(), at)
    _refuse_too_far(span, at, desk)


def refuse_bad_block(span: Span, at: str, desk: Desk) -> None:
    """422 for a time that cannot be blocked; one that is over is on record and harms nobody."""
    _refuse_backwards(span, at)
    _refuse_too_long(span, longest(block=True), at)
    _refuse_too_far(span, at, desk)


def _refuse_backwards(span: Span, at: str) -> None:
    if span.ends_at <= span.starts_at:
        raise unprocessable(
            "The end of the slot is not after its start.",
            "时段的结束须晚于开始。",
            at=at,
            detail="order.slot-backwards",
        )


def _refuse_too_long(span: Span, most: timedelta, at: str) -> None:
    if span.ends_at - span.starts_at > most:
        hours = most // timedelta(hours=1)
        raise unprocessable(
            f"The slot is longer than {hours} hours.", f"时段超过 {hours} 小时。", at=at, detail="order.slot-too-long"
        )


def _refuse_too_far(span: Span, at: str, desk: Desk) -> None:
    days = rooms_data()["slots"]["furthest_days"]
    if span.starts_at > desk.now + timedelta(days=days):
        raise unprocessable(
            f"The slot lies more than {days} days ahead.",
            f"所选时段在 {days} 天之后。",
            at=at,
            detail="order.slot-too-far",
        )

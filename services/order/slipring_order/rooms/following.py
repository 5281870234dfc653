"""What becomes of a scheduled step and its appointment when the exam moves."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import Desk, Save, Stored, successor

from slipring_order import resources
from slipring_order.reading import instant
from slipring_order.rooms.booking import step_of
from slipring_order.rooms.step import ENDED, HELD, RUNNING, WAITING, read_step, step_in

# exam state -> (Task.status of the step, Appointment.status); None leaves it as it is.
GOES_WITH: dict[str, tuple[str | None, str | None]] = {
    "received": (HELD, None),
    "awaiting-information": (HELD, None),
    "awaiting-justification": (HELD, None),
    "rejected": ("cancelled", "cancelled"),
    "scheduled": (WAITING, "booked"),
    "arrived": (WAITING, "arrived"),
    "ready": (WAITING, "arrived"),
    "in-progress": (RUNNING, None),
    "acquired": ("completed", "fulfilled"),
    "discontinued": ("failed", "fulfilled"),
    "reported": ("completed", "fulfilled"),
    "closed": ("completed", "fulfilled"),
    "cancelled": ("cancelled", "cancelled"),
}


async def step_follows(exam: Stored, target: str, desk: Desk) -> list[Save]:
    """The saves that keep step and appointment in line with an exam that moves to a state.

    An exam that was never booked shows no time (`restriction`), and costs nothing here.
    """
    if "restriction" not in exam.resource or resources.state_of(exam.resource) == target:
        return []
    step = await step_of(exam.reference, desk)
    again = resources.state_of(exam.resource) == "acquired" and target == "arrived"  # stopped as wrong: scanned anew
    if step is None or (step.resource["status"] in ENDED and not again):
        return []
    status, booked = _after(step, target)
    saves = []
    if status and status != step.resource["status"]:
        saves.append(step_in(step, status, desk.now, **_performed(step, status, desk)))
    appointment = await desk.read(read_step(step.resource).appointment)
    if booked and appointment and appointment.resource.get("status") != booked:
        saves.append(successor(appointment, status=booked))
    return saves


def _after(step: Stored, target: str) -> tuple[str | None, str | None]:
    if target == "justified":  # judged again: the time it had stands; taken back from the schedule: it is free
        return (WAITING, None) if step.resource["status"] == HELD else ("cancelled", "cancelled")
    return GOES_WITH[target]


def _performed(step: Stored, status: str, desk: Desk) -> dict[str, Any]:
    if status == WAITING:
        return {"executionPeriod": None}
    period = {**step.resource.get("executionPeriod", {})}
    if status == RUNNING:
        period.setdefault("start", instant(desk.now))
    elif status in ("completed", "failed"):
        period.setdefault("end", instant(desk.now))
    return {"executionPeriod": period} if period else {}

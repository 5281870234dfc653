"""The clock of a reading: armed by a durable timer, warning first, then breached, and stopped by the report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import Desk, Resource, Save, Stored, Wake
from slipring.rules.finding import Limit

from slipring_report.clocks.told import BREACHED, WARNING, as_record, record_id
from slipring_report.department import zone_of
from slipring_report.resources import written
from slipring_report.worklist.carrying import said, without
from slipring_report.worklist.life import clock_of, in_state, state_of
from slipring_report.worklist.reading_task import clock_named, due_at, warn_at

TIMER = "reporting-time"


def timer_of(reading: str) -> str:
    """The key of the one timer of a reading's clock."""
    return f"{TIMER}:{reading}"


def armed(task: Resource, desk: Desk) -> Wake:
    """The timer for what comes next: the warning, or the end."""
    due = due_at(task)
    following = warn_at(task) if clock_of(task) == "running" and desk.now < warn_at(task) else due
    reference = f"Task/{task['id']}"
    after = max(following - desk.now, timedelta(0))
    return Wake(TIMER, reference, after, timer_of(reference))


def clock_at(task: Resource, now: datetime) -> str:
    """Where the clock of an open reading stands at a moment."""
    if now >= due_at(task):
        return "breached"
    return "warned" if now >= warn_at(task) else "running"


async def recorded(task: Resource, clock: str, desk: Desk) -> list[Save]:
    """The record that a clock warned or was breached, once for each deadline."""
    rule = {"warned": WARNING, "breached": BREACHED}[clock]
    due = due_at(task)
    if await desk.read("DetectedIssue/" + record_id(f"Task/{task['id']}", rule, due)):
        return []
    shown = f"{due.astimezone(zone_of(desk)):%Y-%m-%d %H:%M}"
    return [Save(as_record(task, rule, due, shown, figure_of(task), now=desk.now))]


def figure_of(task: Resource) -> Limit:
    """The figure that the deadline was made from, as it stands on the Task."""
    clock = clock_named(task)
    began = due_at(task).date()
    return Limit(
        f"clock.{clock['clock']}",
        clock["clock-minutes"],
        str(clock["clock-source"]),
        "S" if clock["clock-confirmed"] else "U",
        began,
        "min",
        confirmed=bool(clock["clock-confirmed"]),
    )


def moved_on(task: Stored, clock: str, desk: Desk) -> Resource:
    """The reading with its clock further on; when it was breached stays on it."""
    members: dict[str, Any] = {**in_state(state_of(task.resource), clock), "lastModified": written(desk.now)}
    if clock == "breached":
        at = said("breached-at", valueInstant=written(due_at(task.resource)))
        members["output"] = [*without(task.resource, "breached-at", member="output"), at]
    return {**task.resource, **members}

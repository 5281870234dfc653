"""The clocks of the green channel: when a stat exam arrived, began, ended and was reported, and which is overdue.

Whichever road moved it, the exam itself says when: its arrival is an input, its scan the executionPeriod.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.fhir.service import Desk, Stored

from slipring_order import resources
from slipring_order.reading import moment
from slipring_order.rooms.arriving import arrived_at

# stage -> (limit, the time it runs from, the time that ends it, its names)
STAGES = {
    "start": ("green.arrival-to-start", "arrived", "started", "到检后开始检查", "start after arrival"),
    "end": ("green.start-to-end", "started", "ended", "检查完成", "end of the exam"),
    "report": ("green.end-to-report", "ended", "reported", "报告发出", "report"),
}
OVER = frozenset({"discontinued", "cancelled", "rejected"})
_HERE = frozenset({"arrived", "ready"})
_REPORTED = frozenset({"reported", "closed"})
_ENDED = _REPORTED | {"acquired", "discontinued"}
_BEGUN = _ENDED | {"in-progress"}


@dataclass(frozen=True, slots=True)
class Times:
    """When a stat exam reached each stage; None: not yet."""

    arrived: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    reported: datetime | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A clock that runs: which stage is waited for, since when, and by when it is due."""

    stage: str
    since: datetime
    due_at: datetime


async def times_of(exam: Stored, desk: Desk) -> Times:
    """The times of an exam as it stands now: what was taken back, or stopped as wrong, has not happened."""
    state, zone = resources.state_of(exam.resource), desk.settings.zone
    period = exam.resource.get("executionPeriod", {})
    began, over = state in _BEGUN, state in _ENDED
    return Times(
        arrived=await arrived_at(exam, desk) if state in _HERE or began else None,
        started=moment(period.get("start"), zone) if began else None,
        ended=(moment(period.get("end"), zone) or exam.updated_at) if over else None,
        reported=exam.updated_at if state in _REPORTED else None,
    )


def running(times: Times, desk: Desk) -> Running | None:
    """The clock of the stage that is waited for now; None before arrival and after the report."""
    day = desk.now.astimezone(desk.settings.zone).date()
    for stage, (limit, since, until, _, _) in reversed(STAGES.items()):
        began = getattr(times, since)
        if began is not None:
            if getattr(times, until) is not None:
                return None
            minutes = float(desk.settings.limits.limit(limit, on=day).value)
            return Running(stage, began, began + timedelta(minutes=minutes))
    return None


def limit_of(stage: str) -> str:
    """The id of the limit that a stage runs by."""
    return STAGES[stage][0]


def names_of(stage: str) -> tuple[str, str]:
    """What is waited for, in Chinese and English."""
    _, _, _, zh, en = STAGES[stage]
    return zh, en

"""The clocks of the green channel: when a stat exam arrived, began, ended and was reported, and which is overdue.

The times are read from the exam's own versions, so they hold whichever road moved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.fhir.service import Desk, Stored

from slipring_order import resources
from slipring_order.reading import moment

# stage -> (limit, the time it runs from, the time that ends it, its names)
STAGES = {
    "start": ("green.arrival-to-start", "arrived", "started", "到检后开始检查", "start after arrival"),
    "end": ("green.start-to-end", "started", "ended", "检查完成", "end of the exam"),
    "report": ("green.end-to-report", "ended", "reported", "报告发出", "report"),
}
OVER = frozenset({"discontinued", "cancelled", "rejected"})
_REPORTED = frozenset({"reported", "closed"})


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
    """The times of an exam, from what it says itself and from when its versions were written."""
    first: dict[str, datetime] = {}
    for number in range(1, exam.version + 1):
        version = exam if number == exam.version else await desk.read_version(exam.reference, number)
        if version is not None:
            first.setdefault(resources.state_of(version.resource), version.updated_at)
    period, zone = exam.resource.get("executionPeriod", {}), desk.settings.zone
    reported = [first[state] for state in _REPORTED if state in first]
    return Times(
        arrived=first.get("arrived"),
        started=moment(period.get("start"), zone) or first.get("in-progress"),
        ended=moment(period.get("end"), zone) or first.get("acquired"),
        reported=min(reported, default=None),
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

"""Whether an engine does its work: figures against thresholds, one check per thing looked at. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from slipring.watch.figures import Figures


class Status(StrEnum):
    """As draft-inadarei-api-health-check says: `fail` is answered 503, the others 200."""

    PASS = "pass"  # noqa: S105 - a word of the draft
    WARN = "warn"
    FAIL = "fail"


_ORDER = (Status.PASS, Status.WARN, Status.FAIL)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `name` is component:measurement, `about` which one (a loop, a subscription's id)."""

    name: str
    status: Status
    value: float
    unit: str = ""
    about: str = ""

    def as_tree(self) -> dict[str, Any]:
        """As the draft writes a check."""
        tree: dict[str, Any] = {"status": self.status.value, "observedValue": round(self.value, 3)}
        if self.unit:
            tree["observedUnit"] = self.unit
        if self.about:
            tree["componentId"] = self.about
        return tree


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of them; pass when there are none."""
    return max(statuses, key=_ORDER.index, default=Status.PASS)


@cache
def _thresholds() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("thresholds.toml").read_text(encoding="utf-8"))


def graded(name: str, threshold: str, value: float, about: str = "") -> Check:
    """Grade a value: `threshold` names its entry in thresholds.toml."""
    limit = _thresholds()[threshold]
    status = Status.PASS
    if value >= limit.get("warn", float("inf")):
        status = Status.WARN
    if value >= limit.get("fail", float("inf")):
        status = Status.FAIL
    return Check(name, status, value, limit.get("unit", ""), about)


def clock_checks(jumped: Mapping[str, tuple[float, float]]) -> Iterator[Check]:
    """The last jump of each clock (seconds, how long ago): shown for a while, because times stored around it are doubtful."""
    shown_for = _thresholds()["clock-jumped"]["shown_for"]
    for clock, (seconds, ago) in jumped.items():
        if ago < shown_for:
            yield Check("clock:jumped", Status.WARN, seconds, "s", clock)


def mended_checks(mended: Mapping[str, tuple[int, float]]) -> Iterator[Check]:
    """Deadlines that the watchdog had to arm (how many, how long ago): shown for a while, because something left them out."""
    shown_for = _thresholds()["deadline-mended"]["shown_for"]
    for name, (number, ago) in mended.items():
        if ago < shown_for:
            yield Check("deadline:mended", Status.WARN, number, "", name)


def checks(figures: Figures, silent: Mapping[str, float]) -> Iterator[Check]:
    """Everything looked at in one engine; `silent`: seconds since each loop of this process last came through."""
    yield graded("timers:oldestDue", "timer-late", figures.timer_oldest_seconds)
    yield graded("outbox:oldestWaiting", "outbox-waits", figures.outbox_oldest_seconds)
    yield graded("audit:oldestUnsealed", "audit-unsealed", figures.unsealed_oldest_seconds)
    for loop, seconds in silent.items():
        yield graded("worker:lastTurn", "tidying-silent" if loop == "tidying" else "loop-silent", seconds, loop)
    for lane in figures.lanes:
        yield graded("delivery:oldestWaiting", "delivery-waits", lane.oldest_seconds, lane.id)
        if lane.status == "error":
            yield Check("delivery:inError", Status.WARN, lane.failures, "failures", lane.id)
        if lane.parked:
            yield graded("delivery:parked", "parked", lane.parked, lane.id)
    yield graded("follow:owed", "arrivals-owed", figures.arrivals_owed)
    for source, age in figures.follows.items():
        if age is None:
            yield Check("follow:filling", Status.WARN, 1, "", source)
        else:
            yield graded("follow:age", "copy-age", age, source)
    for name, number in figures.alarms.items():
        yield graded("alarm:count", name if name in _thresholds() else "alarm", number, name)
    for name, number in figures.without_deadline.items():
        yield graded("deadline:missing", "without-deadline", number, name)

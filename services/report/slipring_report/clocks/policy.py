"""How long a report may take: the department's dated policy, and which of its clocks is an exam's. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.finding import Limit

SHIPPED = Path(__file__).parents[1] / "data" / "clocks.toml"
SINCE = ("acquired", "started", "requested")
HOURS = ("always", "working")
_READ_IN_THE_SOURCE = ("S", "S2")


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of the policy: how many minutes from what on, and of which hours."""

    code: str
    zh: str
    en: str
    since: str
    minutes: int
    hours: str
    warn: int  # minutes before the end at which it warns
    clause: str
    source: str
    confidence: str
    dated: date
    confirmed: bool
    priorities: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def fits(self, priority: str, encounter_class: str) -> bool:
        """Whether it is the clock of such an exam; one that names nothing fits every exam."""
        named = bool(self.priorities or self.classes)
        return not named or priority in self.priorities or encounter_class in self.classes

    @property
    def limit(self) -> Limit:
        """The figure with its source, as a finding carries it."""
        return Limit(
            f"clock.{self.code}",
            self.minutes,
            self.source,
            self.confidence,
            self.dated,
            "min",
            confirmed=self.confirmed,
        )


def clock_for(priority: str, encounter_class: str, day: date, file: str = "") -> Clock:
    """The clock of an exam under the policy in force on a day."""
    return next(clock for clock in policy_on(day, file) if clock.fits(priority, encounter_class))


def policy_on(day: date, file: str = "") -> tuple[Clock, ...]:
    """The clocks in force on a day: of the department's own `file`, or as shipped; ValueError says what is no policy."""
    every = _written(file)
    begun = [dated for dated in every if dated <= day]
    return every[max(begun) if begun else min(every)]


@cache
def _written(file: str) -> Mapping[date, tuple[Clock, ...]]:
    path = Path(file) if file else SHIPPED
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))["policy"]
        found = {entry["from"]: _clocks(entry, own=bool(file)) for entry in written}
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"{path}: these are no reporting clocks: {wrong}") from wrong
    if not found:
        raise ValueError(f"{path}: there is no [[policy]]")
    return found


def _clocks(entry: Mapping[str, Any], *, own: bool) -> tuple[Clock, ...]:
    clocks = tuple(_clock(one, entry["from"], own=own) for one in entry["clock"])
    if not clocks or not clocks[-1].fits("", ""):
        raise ValueError("the last clock fits every exam: it names neither priority nor class")
    return clocks


def _clock(one: Mapping[str, Any], dated: date, *, own: bool) -> Clock:
    clock = Clock(
        code=one["code"],
        zh=one["zh"],
        en=one["en"],
        since=one["since"],
        minutes=one["minutes"],
        hours=one["hours"],
        warn=one["warn"],
        clause=one["clause"],
        source=one["source"],
        confidence=one["confidence"],
        dated=dated,
        confirmed=own or one["confidence"] in _READ_IN_THE_SOURCE,
        priorities=tuple(one.get("priority", ())),
        classes=tuple(one.get("class", ())),
    )
    if clock.since not in SINCE or clock.hours not in HOURS:
        raise ValueError(f"{clock.code}: since is one of {', '.join(SINCE)}; hours is one of {', '.join(HOURS)}")
    if not 0 <= clock.warn < clock.minutes:
        raise ValueError(f"{clock.code}: it warns before its end and after its beginning")
    return clock

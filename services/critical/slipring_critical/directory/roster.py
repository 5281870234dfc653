"""Who is on call, from a rotation, shifts laid over it and swaps; and the hours at which nobody is. Pure.

A rotation hands over daily or weekly at an hour of the department's clock. A shift stands in its place for its hours. A swap
puts one person in the place of another; it holds only where that other is on call.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DAILY, WEEKLY = "daily", "weekly"
STEPS: Mapping[str, int] = {DAILY: 1, WEEKLY: 7}  # handover -> days
NOBODY, NO_ROUTE, NOT_VERIFIED = "nobody-on-call", "no-route", "not-verified"
_FILE = Path(__file__).parents[1] / "data" / "roster.toml"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Members in turn, each for one step of days, from `first` on at the hour `at`."""

    members: tuple[str, ...]
    days: int
    at: time
    first: date

    def member(self, moment: datetime, zone: ZoneInfo) -> str:
        """Whose turn it is; '' before the first handover."""
        here = moment.astimezone(zone)
        day = here.date() if here.time() >= self.at else here.date() - timedelta(days=1)
        passed = (day - self.first).days
        return self.members[passed // self.days % len(self.members)] if passed >= 0 and self.members else ""

    def handovers(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments of handing over between two moments, in UTC: there a day of 23 hours is no trap."""
        passed = max(0, (start.astimezone(zone).date() - self.first).days)
        day = self.first + timedelta(days=passed - passed % self.days)
        while (moment := datetime.combine(day, self.at, zone).astimezone(UTC)) < end:
            if moment > start:
                yield moment
            day += timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on call for some hours; `instead_of`: in whose place, where it is a swap or a stand-in."""

    start: datetime
    end: datetime
    person: str
    slot: str
    written: datetime
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on call for an office, at some places or everywhere, and for how long the roster holds."""

    reference: str
    target: str
    places: frozenset[str]
    rotation: Rotation | None = None
    since: datetime | None = None
    until: datetime | None = None
    shifts: tuple[Shift, ...] = ()

    def serves(self, places: frozenset[str]) -> bool:
        """Whether it is for a patient at these places; with the place unknown every roster is: too many is safer than nobody."""
        return not self.places or not places or bool(self.places & places)

    def on_call(self, at: datetime, zone: ZoneInfo) -> tuple[str, ...]:
        """Everybody on call at a moment: those of its shifts, else whose turn it is; then the swaps, as they were agreed."""
        if (self.since and at < self.since) or (self.until and at >= self.until):
            return ()
        now = sorted((one for one in self.shifts if one.start <= at < one.end), key=lambda one: one.written)
        people = [one.person for one in now if not one.instead_of]
        if not people and self.rotation is not None:
            people = [member for member in [self.rotation.member(at, zone)] if member]
        for swap in [one for one in now if one.instead_of]:
            people = [swap.person if one == swap.instead_of else one for one in people]
        return tuple(dict.fromkeys(people))

    def turns(self, start: datetime, end: datetime, zone: ZoneInfo) -> list[Turn]:
        """Who is on call between two moments, without a hole: where nobody is, a turn says so."""
        edges = {start, *(at for one in self.shifts for at in (one.start, one.end))}
        handovers = set(self.rotation.handovers(start, end, zone)) if self.rotation else set()
        edges |= handovers | {at for at in (self.since, self.until) if at}
        inside = [*sorted(at for at in edges if start <= at < end), end]
        found: list[Turn] = []
        for begins, ends in pairwise(inside):
            people = self.on_call(begins, zone)
            if found and found[-1].people == people and not (begins in handovers and people):
                found[-1] = Turn(found[-1].start, ends, people)
            else:
                found.append(Turn(begins, ends, people))
        return found


@dataclass(frozen=True, slots=True)
class Turn:
    """Some hours with the same people on call; none of them: a gap."""

    start: datetime
    end: datetime
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Some hours at which nobody would be rung for certain, and why.

    nobody-on-call; no-route to those who are; or not-verified: their routes ring, but nobody knows where.
    """

    start: datetime
    end: datetime
    reason: str
    people: tuple[str, ...] = ()


def gaps(turns: Sequence[Turn], lacks: Callable[[str], str]) -> list[Gap]:
    """The hours of these turns at which nobody is sure to be rung; those that follow each other for one reason as one.

    `lacks`: what is wrong with the routes of a person, no-route or not-verified; '' when nothing is.
    """
    found: list[Gap] = []
    for turn in turns:
        why = {lacks(person) for person in turn.people} or {NOBODY}
        if "" in why:
            continue
        gap = Gap(turn.start, turn.end, NOT_VERIFIED if NOT_VERIFIED in why else min(why), turn.people)
        last = found[-1] if found else None
        if last and (last.end, last.reason, last.people) == (gap.start, gap.reason, gap.people):
            found[-1] = Gap(last.start, gap.end, gap.reason, gap.people)
        else:
            found.append(gap)
    return found


@cache
def policy() -> Mapping[str, Any]:
    """The numbers that a roster keeps to."""
    return tomllib.loads(_FILE.read_text("utf-8"))

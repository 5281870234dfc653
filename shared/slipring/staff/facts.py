"""Practitioner and PractitionerRole read into plain facts about a person at a moment."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import interval
from slipring.fhir.service import CANONICAL, Resource
from slipring.staff.duty import Return, Span, returns

TITLE_SYSTEM = f"{CANONICAL}/CodeSystem/staff-title"
QUALIFICATION_SYSTEM = f"{CANONICAL}/CodeSystem/staff-qualification"
ROLE_SYSTEM = f"{CANONICAL}/CodeSystem/staff-role"
DEPARTMENT_ZONE = "Asia/Shanghai"
_DAY_AS_WRITTEN = 10  # length of yyyy-mm-dd


@dataclass(frozen=True, slots=True)
class Title:
    """A professional title; ranks compare only inside a series."""

    code: str
    zh: str
    en: str
    series: str
    rank: int


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """What is on record about one person, as it stands on `day`."""

    day: date
    known: bool
    active: bool
    titles: tuple[Title, ...]
    qualifications: Mapping[str, tuple[Span, ...]]
    roles: frozenset[str]
    duties: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)  # role -> when it is or was held
    leaves: tuple[Span, ...] = ()
    absent: bool = False  # on leave at the moment itself, which may be a matter of hours

    def rank_in(self, series: str) -> int:
        """The highest rank held in a series; 0 when the person has no title in it."""
        return max((title.rank for title in self.titles if title.series == series), default=0)

    def holds(self, qualification: str, *, needs_end: bool = False, since: date | None = None) -> bool:
        """Whether a qualification is valid on the day; `needs_end`: one without a due date proves nothing.

        `since`: one gained before that day does not count.
        """
        return any(
            span.covers(self.day)
            and not (needs_end and span.end is None)
            and (since is None or (span.start is not None and span.start >= since))
            for span in self.qualifications.get(qualification, ())
        )

    def back_since(self, duty: str, *, months: int) -> Return | None:
        """The last time he took this duty up after another one, or after being away for `months` (5.1.6)."""
        duties = {code: spans for code, spans in self.duties.items() if code in _duties()}
        return max(returns(duties, self.leaves, duty, self.day, months=months), key=lambda one: one.on, default=None)

    def since(self, qualification: str) -> date | None:
        """The latest day on which one that is valid today began; None when none is."""
        valid = [span for span in self.qualifications.get(qualification, ()) if span.covers(self.day)]
        return max((span.start or date.min for span in valid), default=None)

    def years_of(self, qualification: str) -> int:
        """Completed years since the earliest valid start: a year counts when its anniversary is reached."""
        starts = [s.start for s in self.qualifications.get(qualification, ()) if s.start and s.covers(self.day)]
        return max((completed_years(start, self.day) for start in starts), default=0)


def completed_years(start: date, day: date) -> int:
    """Whole years between two days; a start on 29 February completes a common year on 1 March."""
    return day.year - start.year - ((day.month, day.day) < (start.month, start.day))


@cache
def titles() -> Mapping[str, Title]:
    """The title ladder by code."""
    with Path(__file__).with_name("titles.toml").open("rb") as file:
        return {code: Title(code, **entry) for code, entry in tomllib.load(file)["titles"].items()}


@cache
def _equivalents() -> Mapping[str, str]:
    return dict(register()["equivalents"])


@cache
def _duties() -> frozenset[str]:
    return frozenset(code for code, role in register()["roles"].items() if role.get("duty"))


@cache
def register() -> Mapping[str, Any]:
    """What `register.toml` says of qualifications, series, roles and the readiness for duty."""
    with Path(__file__).with_name("register.toml").open("rb") as file:
        return tomllib.load(file)


def staff_facts(
    practitioner: Resource | None, roles: Sequence[Resource], at: datetime, *, zone: str = DEPARTMENT_ZONE
) -> StaffFacts:
    """Read a person's record as it stands at a moment; days are the department's days."""
    day = at.astimezone(ZoneInfo(zone)).date()
    if practitioner is None:
        return StaffFacts(day, False, False, (), {}, frozenset())
    held: dict[str, list[Span]] = {}
    ladder: list[Title] = []
    own = list(_own(practitioner, roles))
    leaves = [leave["during"] for role in own for leave in role.get("notAvailable", []) if leave.get("during")]
    for entry in practitioner.get("qualification", []):
        span = _span(entry.get("period"))
        for system, code in _codes(entry.get("code")):
            if system == TITLE_SYSTEM and code in titles() and span.covers(day):
                ladder.append(titles()[code])
            elif system == QUALIFICATION_SYSTEM:
                held.setdefault(code, []).append(span)
    return StaffFacts(
        day=day,
        known=True,
        active=practitioner.get("active") is not False,
        titles=tuple(ladder),
        qualifications={code: tuple(spans) for code, spans in held.items()},
        roles=frozenset(code for role in own if _stands(role, at, day) for code in _role_codes(role)),
        duties=_held_over_time(own),
        leaves=tuple(_span(leave) for leave in leaves),
        absent=any(_in_force(leave, at, day) for leave in leaves),
    )


def has_left(
    practitioner: Resource | None, roles: Sequence[Resource], at: datetime, *, zone: str = DEPARTMENT_ZONE
) -> bool:
    """Whether somebody works here no more: out of use, or all of his roles are over; whoever never had one has not left."""
    if practitioner is None or practitioner.get("active") is False:
        return True
    day = at.astimezone(ZoneInfo(zone)).date()
    own = list(_own(practitioner, roles))
    return bool(own) and all(role.get("active") is False or _ended(role.get("period"), at, day) for role in own)


def _own(practitioner: Resource, roles: Sequence[Resource]) -> Iterator[Resource]:
    """The roles that are this person's, those that ended too."""
    own = f"Practitioner/{practitioner.get('id', '')}"
    for role in roles:
        person = str(role.get("practitioner", {}).get("reference", own)).partition("/_history/")[0]
        if person.endswith(own):
            yield role


def _stands(role: Resource, at: datetime, day: date) -> bool:
    return role.get("active") is not False and _in_force(role.get("period"), at, day)


def _role_codes(role: Resource) -> Iterator[str]:
    for concept in role.get("code", []):
        for system, code in _codes(concept):
            if system == ROLE_SYSTEM:
                yield code
            elif (ours := _equivalents().get(f"{system}|{code}")) is not None:
                yield ours


def _held_over_time(roles: Sequence[Resource]) -> Mapping[str, tuple[Span, ...]]:
    """Each role with its periods; one put out of use counts as past only when it says when it ended."""
    held: dict[str, list[Span]] = {}
    for role in roles:
        if role.get("active") is False and not role.get("period", {}).get("end"):
            continue
        for code in _role_codes(role):
            held.setdefault(code, []).append(_span(role.get("period")))
    return {code: tuple(spans) for code, spans in held.items()}


def _in_force(period: Mapping[str, Any] | None, at: datetime, day: date) -> bool:
    """A role's period may name the minute; a period of days is compared by day."""
    start, end = (period or {}).get("start", ""), (period or {}).get("end", "")
    if "T" in start and (first := interval(start)) and at < first.low:
        return False
    if "T" in end and (last := interval(end)) and at > last.low:
        return False
    return _span({k: v for k, v in (("start", start), ("end", end)) if v and "T" not in v}).covers(day)


def _ended(period: Mapping[str, Any] | None, at: datetime, day: date) -> bool:
    return bool((period or {}).get("end")) and not _in_force({"end": (period or {})["end"]}, at, day)


def _codes(concept: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(coding.get("system", ""), coding.get("code", "")) for coding in (concept or {}).get("coding", [])]


def _span(period: Mapping[str, Any] | None) -> Span:
    return Span(_last_day((period or {}).get("start")), _last_day((period or {}).get("end")))


def _last_day(text: str | None) -> date | None:
    """The last day that a FHIR date may mean: a partial date never gives anyone more years than it proves."""
    found = interval(text[:_DAY_AS_WRITTEN]) if text else None
    return (found.high - found.high.resolution).date() if found else None

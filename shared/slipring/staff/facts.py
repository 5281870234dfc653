"""Practitioner and PractitionerRole read into plain facts about a person at a moment."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource

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
class Span:
    """A period in whole days; an open side is None."""

    start: date | None
    end: date | None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period, both ends included."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """What is on record about one person, as it stands on `day`."""

    day: date
    known: bool
    active: bool
    titles: tuple[Title, ...]
    qualifications: Mapping[str, tuple[Span, ...]]
    roles: frozenset[str]

    def rank_in(self, series: str) -> int:
        """The highest rank held in a series; 0 when the person has no title in it."""
        return max((title.rank for title in self.titles if title.series == series), default=0)

    def holds(self, qualification: str, *, needs_end: bool = False) -> bool:
        """Whether a qualification is valid on the day; `needs_end`: one without a due date proves nothing."""
        return any(
            span.covers(self.day) and not (needs_end and span.end is None)
            for span in self.qualifications.get(qualification, ())
        )

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
    with Path(__file__).with_name("acts.toml").open("rb") as file:
        return dict(tomllib.load(file)["equivalents"])


def staff_facts(
    practitioner: Resource | None, roles: Sequence[Resource], at: datetime, *, zone: str = DEPARTMENT_ZONE
) -> StaffFacts:
    """Read a person's record as it stands at a moment; days are the department's days."""
    day = at.astimezone(ZoneInfo(zone)).date()
    if practitioner is None:
        return StaffFacts(day, False, False, (), {}, frozenset())
    held: dict[str, list[Span]] = {}
    ladder: list[Title] = []
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
        roles=frozenset(_active_roles(practitioner, roles, at, day)),
    )


def _active_roles(practitioner: Resource, roles: Sequence[Resource], at: datetime, day: date) -> Iterator[str]:
    own = f"Practitioner/{practitioner.get('id', '')}"
    for role in roles:
        person = str(role.get("practitioner", {}).get("reference", own)).partition("/_history/")[0]
        if not person.endswith(own) or role.get("active") is False or not _in_force(role.get("period"), at, day):
            continue
        for concept in role.get("code", []):
            for system, code in _codes(concept):
                if system == ROLE_SYSTEM:
                    yield code
                elif (ours := _equivalents().get(f"{system}|{code}")) is not None:
                    yield ours


def _in_force(period: Mapping[str, Any] | None, at: datetime, day: date) -> bool:
    """A role's period may name the minute; a period of days is compared by day."""
    start, end = (period or {}).get("start", ""), (period or {}).get("end", "")
    if "T" in start and at < datetime.fromisoformat(start).astimezone(UTC):
        return False
    if "T" in end and at > datetime.fromisoformat(end).astimezone(UTC):
        return False
    return _span({k: v for k, v in (("start", start), ("end", end)) if v and "T" not in v}).covers(day)


def _codes(concept: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(coding.get("system", ""), coding.get("code", "")) for coding in (concept or {}).get("coding", [])]


def _span(period: Mapping[str, Any] | None) -> Span:
    return Span(_last_day((period or {}).get("start")), _last_day((period or {}).get("end")))


def _last_day(text: str | None) -> date | None:
    """The last day that a FHIR date may mean: a partial date never gives anyone more years than it proves."""
    if not text:
        return None
    if len(text) >= _DAY_AS_WRITTEN:
        return date.fromisoformat(text[:_DAY_AS_WRITTEN])
    year, _, month = text.partition("-")
    if not month:
        return date(int(year), 12, 31)
    following = date(int(year) + int(month) // 12, int(month) % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)

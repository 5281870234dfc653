"""Staffing over a period (CL02-A011:5.1.3): who is there, what was done, and what one person does in a day; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits
from slipring.staff import StaffFacts, missing
from slipring.staff.duty import Span

from slipring_order.review.facts import StaffingFacts, per
from slipring_order.review.measured import Measured, Stratum

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TRAINEE = "trainee"
_AUXILIARY = ("physicist", "other-radiology")
# The duty of each of the three groups, with the series of their titles.
_DUTIES = {"physician": "radiologist", "technologist": "technologist", "nurse": "ct-nurse"}


@dataclass(frozen=True, slots=True)
class Work:
    """What was done in a period, and by whom as far as somebody is named."""

    exams: int = 0
    contrast_exams: int = 0
    reports: int = 0
    operated: Mapping[str, int] = field(default_factory=dict)  # Practitioner/... -> exams
    read: Mapping[str, int] = field(default_factory=dict)  # Practitioner/... -> reports signed, each signer counted


def staffing(
    staff: Mapping[str, StaffFacts], scanners: int, work: Work, period: tuple[date, date], open_days: Iterable[str]
) -> StaffingFacts:
    """The facts of a period; `open_days`: the days of the week on which the department is open, `mon` to `sun`."""
    able = [one for one in staff.values() if _TRAINEE not in one.roles]
    days = _open_days(period, frozenset(open_days))
    return StaffingFacts(
        scanners=scanners,
        physicians=sum(not missing("first-sign", one) or not missing("sign-report", one) for one in able),
        signers=sum(not missing("sign-report", one) for one in able),
        operators=sum(not missing("operate-ct", one) for one in able),
        nurses_in_charge=sum(not missing("lead-ct-nursing", one) for one in able),
        auxiliary=sum(_is_auxiliary(one) for one in able),
        exams=work.exams,
        contrast_exams=work.contrast_exams,
        reports=work.reports,
        technologist_days=_days_on(able, "technologist", days),
        physician_days=_days_on(able, "radiologist", days),
        nurse_days=_days_on(able, "ct-nurse", days),
    )


def staffing_figures(
    facts: StaffingFacts, staff: Mapping[str, StaffFacts], work: Work, limits: Limits
) -> list[Measured]:
    """The figures, with their parts by title and by person."""
    titles = {series: _titles(staff, series, duty) for series, duty in _DUTIES.items()}
    operators, scanners = facts.operators, facts.scanners
    each = per(operators, scanners)
    limit = limits.limit
    return [
        Measured(
            "physicians-suffice", facts.physicians, limit=limit("staffing.physicians"), strata=titles["physician"]
        ),
        Measured(
            "operators-suffice",
            operators,
            scanners,
            each,
            limit=limit("staffing.operators-per-scanner"),
            strata=titles["technologist"],
        ),
        Measured(
            "nurses-suffice", facts.nurses_in_charge, limit=limit("staffing.nurses-in-charge"), strata=titles["nurse"]
        ),
        Measured("auxiliary-suffice", facts.auxiliary, limit=limit("staffing.auxiliary")),
        _load(
            "technologist-load",
            (facts.exams, facts.technologist_days),
            limit("staffing.exams-per-technologist-day"),
            work.operated,
        ),
        _load(
            "physician-load",
            (facts.reports, facts.physician_days),
            limit("staffing.reports-per-physician-day"),
            work.read,
        ),
        _load(
            "nurse-load", (facts.contrast_exams, facts.nurse_days), limit("staffing.contrast-exams-per-nurse-day"), {}
        ),
    ]


def _load(code: str, share: tuple[int, int], limit: Limit, by: Mapping[str, int]) -> Measured:
    people = tuple(
        Stratum("person", who, count) for who, count in sorted(by.items(), key=lambda one: (-one[1], one[0]))
    )
    return Measured(code, *share, per(*share), "/d", limit, people)


def _titles(staff: Mapping[str, StaffFacts], series: str, duty: str) -> tuple[Stratum, ...]:
    """Everyone on the duty by the highest title held in its series."""
    held: Counter[tuple[int, str]] = Counter()
    for one in staff.values():
        if duty in one.roles and one.active:
            own = [title for title in one.titles if title.series == series]
            best = max(own, key=lambda title: title.rank, default=None)
            held[(best.rank, best.zh) if best else (0, "—")] += 1
    return tuple(Stratum("title", name, count) for (_, name), count in sorted(held.items(), reverse=True))


def _is_auxiliary(one: StaffFacts) -> bool:
    return one.active and bool(one.roles.intersection(_AUXILIARY)) and not one.roles.intersection(_DUTIES.values())


def _open_days(period: tuple[date, date], week: frozenset[str]) -> list[date]:
    start, end = period
    days = (start + timedelta(days=number) for number in range((end - start).days + 1))
    return [day for day in days if _WEEK[day.weekday()] in week]


def _days_on(staff: Sequence[StaffFacts], duty: str, days: Sequence[date]) -> int:
    """The open days on which these people held the duty and were not on leave, added up."""
    return sum(
        any(span.covers(day) for span in one.duties.get(duty, ())) and not _away(one.leaves, day)
        for one in staff
        for day in days
    )


def _away(leaves: Iterable[Span], day: date) -> bool:
    return any(leave.covers(day) for leave in leaves)

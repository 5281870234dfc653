"""Complaints over a period (CL02-A011:4.8): how many, how fast they were answered, which are still open; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_order.review.facts import ComplaintFacts, per
from slipring_order.review.measured import Measured
from slipring_order.review.rules.complaint_rate import THOUSAND

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint: when it came, when it was answered first, and whether it is still open."""

    reference: str
    received_on: date
    answered_on: date | None = None
    is_open: bool = True


def complaint_facts(complaints: Iterable[Complaint], exams: int, begins: date, today: date, limit: Limit) -> ComplaintFacts:  # fmt: skip
    """The facts of the complaints received from `begins` on, and of those before it that are still open."""
    held = list(complaints)
    own = [one for one in held if one.received_on >= begins]
    return ComplaintFacts(
        exams=exams,
        received=len(own),
        answered=sum(one.answered_on is not None for one in own),
        late=sum(is_late(one, today, limit) for one in own),
        waiting=sum(one.is_open for one in held),
    )


def complaint_figures(
    facts: ComplaintFacts, complaints: Sequence[Complaint], begins: date, today: date, limits: Limits
) -> list[Measured]:
    """The figures with the complaints that each counts."""
    limit = limits.limit("complaints.answer-days")
    own = [one for one in complaints if one.received_on >= begins]
    took = [working_days(one.received_on, one.answered_on) for one in own if one.answered_on]
    in_time = [one for one in own if one.answered_on and not is_late(one, today, limit)]
    handled = [one for one in own if one.answered_on or not one.is_open]
    waiting = [one for one in complaints if one.is_open]
    rate = per(facts.received * THOUSAND, facts.exams)
    answered, received = per(len(in_time), facts.received), facts.received
    rarely = limits.limit("complaints.per-thousand-exams")
    return [
        Measured("complaint-rate", received, facts.exams, rate, "/1000", rarely, members=_names(own)),
        Measured("complaints-answered", len(in_time), received, answered, limit=limit, members=_names(in_time)),
        Measured("complaints-handled", len(handled), received, per(len(handled), received), members=_names(handled)),
        Measured("days-to-answer", len(took), score=float(median(took)) if took else None, unit="d"),
        Measured("complaints-open", len(waiting), members=_names(waiting)),
    ]


def is_late(complaint: Complaint, today: date, limit: Limit) -> bool:
    """Whether it was answered after its time, or waits past it; one closed without an answer waits for none."""
    if complaint.answered_on is None and not complaint.is_open:
        return False
    return working_days(complaint.received_on, complaint.answered_on or today) > int(limit.value)


def working_days(start: date, end: date) -> int:
    """Days from Monday to Friday after `start` up to `end`; public holidays are not known and count.

    >>> working_days(date(2026, 11, 27), date(2026, 11, 30))  # from a Friday to the Monday after it
    1
    """
    weeks, rest = divmod(max((end - start).days, 0), 7)
    days = (start + timedelta(days=number) for number in range(1, rest + 1))
    return weeks * 5 + sum(day.weekday() < _SATURDAY for day in days)


def _names(complaints: Iterable[Complaint]) -> tuple[str, ...]:
    return tuple(one.reference for one in complaints)

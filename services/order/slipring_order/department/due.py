"""The due list: what is missing, overdue, failed, or due soon, on any day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits
from slipring.rules.months import months_later

from slipring_order.department.obligations import Obligation, Of

DEPARTMENT = ""


class State(StrEnum):
    """How an obligation stands, the worst first."""

    FAILED = "failed"
    MISSING = "missing"
    OVERDUE = "overdue"
    SOON = "due"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what owes: a person with his duties, a device with its kind, or the department itself."""

    reference: str  # Practitioner/..., Device/..., or DEPARTMENT
    of: Of
    kinds: frozenset[str] = frozenset()
    name: str = ""
    since: date | None = None  # on duty, in use; before that day nothing was owed


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of evidence: that an obligation was met, or not met, on a day."""

    subject: str
    code: str
    on: date
    until: date | None = None  # the end that the record itself states
    passed: bool = True
    source: str = ""  # the resource that says it


@dataclass(frozen=True, slots=True)
class Standing:
    """How one obligation of one subject stands on a day."""

    subject: Subject
    obligation: Obligation
    state: State
    due: date | None = None
    record: Record | None = None
    limit: Limit | None = None


def due_list(
    subjects: Iterable[Subject],
    records: Iterable[Record],
    obligations: Sequence[Obligation],
    limits: Limits,
    within: timedelta,
) -> list[Standing]:
    """What is not met, or no longer will be `within` that time after the limits' day; the worst and oldest first."""
    found = standings(subjects, records, obligations, limits)
    last = limits.day + within
    soon = [
        replace(one, state=State.SOON) if one.state is State.MET and one.due and one.due <= last else one
        for one in found
    ]
    worst = list(State)
    return sorted(
        (one for one in soon if one.state is not State.MET),
        key=lambda one: (worst.index(one.state), one.due or date.min, one.subject.reference, one.obligation.code),
    )


def standings(
    subjects: Iterable[Subject], records: Iterable[Record], obligations: Sequence[Obligation], limits: Limits
) -> list[Standing]:
    """How every obligation of every subject stands on the limits' day; what was recorded later is not known yet."""
    known: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.on <= limits.day:
            known.setdefault((record.subject, record.code), []).append(record)
    return list(_each(subjects, known, obligations, limits))


def _each(
    subjects: Iterable[Subject],
    known: Mapping[tuple[str, str], Sequence[Record]],
    obligations: Sequence[Obligation],
    limits: Limits,
) -> Iterator[Standing]:
    for subject in subjects:
        if subject.since is not None and subject.since > limits.day:
            continue
        for one in obligations:
            if one.of != subject.of or (one.by and not one.by & subject.kinds):
                continue
            records = known.get((subject.reference, one.code), ())
            if records or one.required:
                yield standing(subject, one, records, limits)


def standing(subject: Subject, one: Obligation, records: Sequence[Record], limits: Limits) -> Standing:
    """One obligation: the newest record decides; a failed one is not healed by an older pass."""
    limit = limits.limit(one.every) if one.every else None
    if not records:
        return Standing(subject, one, State.MISSING, limit=limit)
    newest = max(records, key=lambda record: (record.on, _end(record, limit), not record.passed))
    if not newest.passed:
        return Standing(subject, one, State.FAILED, newest.on, newest, limit)
    due = _end(newest, limit)
    if due == date.max:
        return Standing(subject, one, State.MET, None, newest, limit)
    return Standing(subject, one, State.OVERDUE if due < limits.day else State.MET, due, newest, limit)


def _end(record: Record, limit: Limit | None) -> date:
    """The last day a record holds: its own end or the interval's, whichever comes first (clamped to the month's end)."""
    ends = [record.until] if record.until else []
    if limit is not None:
        ends.append(months_later(record.on, int(limit.value)))
    return min(ends, default=date.max)

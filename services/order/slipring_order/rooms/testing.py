"""Test results of a scanner as facts: read from Observations, held against limits, with the day they are due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource
from slipring.qc.equipment.baseline import Baseline
from slipring.qc.equipment.schedule import Interval, due_on
from slipring.qc.equipment.tracing import Doubt, Judged, doubts
from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_order.reading import codes
from slipring_order.rooms.measured import (
    AHEAD,
    COUNTS,
    PRELIMINARY,
    kind_of,
    measured_at,
    nominal_of,
    not_applicable,
    test_of,
    value_of,
)
from slipring_order.rooms.scanner_standard import SETS_BASELINE, grace_of, interval_of, limit_of, passes, row_of, tests

_ABNORMAL = frozenset({"A", "AA", "H", "HH", "L", "LL", "POS"})


@dataclass(frozen=True, slots=True)
class Result:
    """One value measured on a scanner."""

    reference: str  # Observation/...
    test: str
    kind: str
    at: datetime
    value: Decimal | None  # None: nothing that can be compared
    abnormal: bool = False  # whoever tested says so himself
    nominal: Decimal | None = None  # what it should be, where rows of limits go by it
    preliminary: bool = False  # no second person has approved it: it counts where it fails, and nowhere else


@dataclass(frozen=True, slots=True)
class Held:
    """A result with what it was held against."""

    result: Result
    limit: Limit | None
    baseline: Baseline | None
    passes: bool | None  # None: nothing to compare with

    @property
    def counts(self) -> bool:
        """Whether it says anything of the scanner: a pass only when approved, a failure at once."""
        return not self.result.preliminary or self.passes is False

    @property
    def sets_baseline(self) -> bool:
        """Whether constancy is held against it from then on: an approved acceptance or status value that does not fail."""
        one = self.result
        return not one.preliminary and self.passes is not False and one.kind in SETS_BASELINE and one.value is not None


@dataclass(frozen=True, slots=True)
class ScannerTest:
    """How a scanner stands in one test."""

    test: str
    zh: str
    en: str
    last: Result | None = None
    baseline: Decimal | None = None
    passes: bool | None = None  # None: nothing to compare with
    limit: Limit | None = None
    last_pass_at: datetime | None = None
    interval: Limit | None = None
    due_on: date | None = None
    today: date = date.min
    intervals: Interval | None = None  # what A011 and the standard ask for
    doubt: Doubt | None = None  # the failure that lasts, back to the last good test
    baseline_set: Baseline | None = None


def result_of(observation: Resource, zone: ZoneInfo) -> Result | None:
    """The test result that an Observation states; None when it is none, does not count, or says nothing that can be judged."""
    code, kind, at = test_of(observation), kind_of(observation), measured_at(observation, zone)
    status = observation.get("status")
    if not code or not kind or at is None or status not in COUNTS:
        return None
    said = {code for concept in observation.get("interpretation", []) for code in codes(concept)}
    abnormal = bool(said & _ABNORMAL)
    value, nominal = value_of(observation, code), nominal_of(observation, code)
    if value is None and not abnormal and not not_applicable(observation):
        return None  # taken as a result, it would stand for a test that was done
    reference = f"Observation/{observation.get('id', '')}"
    return Result(reference, code, kind, at, value, abnormal, nominal, status == PRELIMINARY)


def standing(
    results: Iterable[Result], at: datetime, limits: Limits, edition: str, zone: ZoneInfo
) -> list[ScannerTest]:
    """How a scanner stands in every test at a moment, by what was measured up to then, by whosever clock."""
    known = sorted((one for one in results if one.at <= at + AHEAD), key=lambda one: (one.at, one.reference))
    today = at.astimezone(zone).date()
    counted = [one for one in known if not one.preliminary]
    first_on = counted[0].at.astimezone(zone).date() if counted else None
    return [
        _in_test(code, held([one for one in known if one.test == code], limits, edition), first_on, today, limits, edition, zone)
        for code in tests()
    ]  # fmt: skip


def held(results: Sequence[Result], limits: Limits, edition: str) -> list[Held]:
    """Results of one test in the order of time, each against its limit and the baseline that stood then."""
    every: list[Held] = []
    baseline: Baseline | None = None
    for one in results:
        limit = limit_of(limits, edition, row_of(one.test, one.kind, one.nominal), one.kind)
        every.append(Held(one, limit, baseline, _passes(one, limit, baseline)))
        if every[-1].sets_baseline and one.value is not None:
            baseline = Baseline(one.test, one.value, one.at, one.kind, one.reference)
    return every


def _in_test(
    code: str, every: Sequence[Held], first_on: date | None, today: date, limits: Limits, edition: str, zone: ZoneInfo
) -> ScannerTest:
    names, counted = tests()[code], [one for one in every if one.counts]
    good = [one for one in counted if one.passes is not False]
    last = counted[-1] if counted else None
    intervals = interval_of(limits, edition, code)
    counted_from = good[-1].result.at.astimezone(zone).date() if good else first_on
    due = None
    if counted_from and intervals:
        due = due_on(counted_from, intervals.months, grace_of(limits, intervals.months))
    cast = doubts([Judged(one.result.at, one.passes, one.result.reference) for one in counted])
    setting = next((one.result for one in reversed(every) if one.sets_baseline), None)
    baseline = None
    if setting is not None and setting.value is not None:
        baseline = Baseline(code, setting.value, setting.at, setting.kind, setting.reference)
    return ScannerTest(
        code,
        names["zh"],
        names["en"],
        last.result if last else None,
        baseline.value if baseline else None,
        last.passes if last else None,
        last.limit if last else None,
        good[-1].result.at if good else None,
        intervals.applied if intervals else None,
        due,
        today,
        intervals,
        cast[-1] if cast and cast[-1].until is None else None,
        baseline,
    )


def _passes(result: Result, limit: Limit | None, baseline: Baseline | None) -> bool | None:
    if result.abnormal:
        return False
    if limit is None or result.value is None:
        return None
    return passes(result.test, result.value, limit, baseline.value if baseline else None, result.nominal)

"""The programme of one scanner as an answer: each test, how it stands, until when, against which limits, by which baseline. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from slipring.fhir.service import Resource
from slipring.qc.equipment.schedule import Interval
from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_order.reading import instant
from slipring_order.rooms.scanner_standard import CONSTANCY, bounds_of, found, limit_of, row_of, unit_of
from slipring_order.rooms.testing import ScannerTest


class State(StrEnum):
    """How a test stands, the worst first."""

    FAILED = "failed"
    OVERDUE = "overdue"
    MISSING = "missing"  # asked for and never passed
    SOON = "due"
    MET = "met"
    ON_OCCASION = "on-occasion"  # nobody asks for it at intervals


@dataclass(frozen=True, slots=True)
class Stands:
    """A test under the department's edition, and whether the last value passes under each edition."""

    test: ScannerTest
    passes: Mapping[str, bool | None]  # by edition
    approver: str = ""  # of the baseline


def state_of(test: ScannerTest, limits: Limits) -> State:
    """By the last result, then by the calendar."""
    if test.passes is False:
        return State.FAILED
    if test.interval is None:
        return State.ON_OCCASION
    if test.due_on is None or test.last_pass_at is None:
        return State.MISSING
    if test.due_on < test.today:
        return State.OVERDUE
    return State.SOON if test.due_on <= test.today + _ahead(test.interval, limits) else State.MET


def as_part(one: Stands, limits: Limits, edition: str) -> Resource:
    """One line of the programme."""
    test = one.test
    said: list[Resource] = [
        {"name": "test", "valueCode": test.test},
        {"name": "zh", "valueString": test.zh},
        {"name": "en", "valueString": test.en},
        {"name": "unit", "valueString": unit_of(test.test)},
        {"name": "state", "valueCode": state_of(test, limits).value},
    ]
    if test.last is not None:
        said.append({"name": "result", "valueReference": {"reference": test.last.reference}})
        said.append({"name": "at", "valueInstant": instant(test.last.at)})
        said.append({"name": "kind", "valueCode": test.last.kind})
        said += _decimal("value", test.last.value)
    if test.last_pass_at is not None:
        said.append({"name": "lastPass", "valueInstant": instant(test.last_pass_at)})
    if test.due_on is not None:
        said.append({"name": "due", "valueDate": test.due_on.isoformat()})
    if test.intervals is not None:
        said += [_interval(limit, test.intervals) for limit in test.intervals.asked]
    if test.baseline_set is not None:
        said.append({"name": "baseline", "part": _baseline(one)})
    said += [
        {"name": "limit", "part": part} for name in one.passes if (part := _limit(one, limits, name, name == edition))
    ]
    return {"name": "test", "part": said}


def _ahead(interval: Limit, limits: Limits) -> timedelta:
    ahead = found(limits, f"soon.{int(interval.value)}")
    return timedelta(days=int(ahead.value) if ahead else 0)


def _interval(limit: Limit, intervals: Interval) -> Resource:
    return {
        "name": "interval",
        "part": [
            {"name": "months", "valueInteger": int(limit.value)},
            {"name": "source", "valueString": limit.source},
            {"name": "applied", "valueBoolean": limit is intervals.applied},
            *_sure(limit),
        ],
    }


def _baseline(one: Stands) -> list[Resource]:
    baseline = one.test.baseline_set
    if baseline is None:
        return []
    said = [
        *_decimal("value", baseline.value),
        {"name": "since", "valueInstant": instant(baseline.since)},
        {"name": "kind", "valueCode": baseline.kind},
        {"name": "result", "valueReference": {"reference": baseline.of}},
    ]
    return said + ([{"name": "approver", "valueReference": {"reference": one.approver}}] if one.approver else [])


def _limit(one: Stands, limits: Limits, edition: str, chosen: bool) -> list[Resource]:
    """What constancy is held against; of a test that has no such limit, what its last kind was."""
    test = one.test
    kind = CONSTANCY if test.last is None else test.last.kind
    nominal = test.last.nominal if test.last else None
    limit = limit_of(limits, edition, row_of(test.test, kind, nominal), kind)
    if limit is None:
        return []
    bounds = bounds_of(test.test, limit, test.baseline, nominal) or (None, None)
    said: list[Resource] = [
        {"name": "edition", "valueCode": edition},
        {"name": "chosen", "valueBoolean": chosen},
        {"name": "kind", "valueCode": kind},
        {"name": "id", "valueString": f"{limit.id}|{limit.version}"},
        *_decimal("low", bounds[0]),
        *_decimal("high", bounds[1]),
        {"name": "source", "valueString": limit.source},
        *_sure(limit),
    ]
    passes = one.passes[edition]
    return said + ([{"name": "passes", "valueBoolean": passes}] if passes is not None else [])


def _sure(limit: Limit) -> list[Resource]:
    return [
        {"name": "confidence", "valueCode": limit.confidence},
        {"name": "confirmed", "valueBoolean": limit.confirmed},
    ]


def _decimal(name: str, value: Any) -> list[Resource]:
    return [] if value is None else [{"name": name, "valueDecimal": Decimal(str(value))}]

"""`Device/[id]/$qc-programme`, `$qc-chart` and `Device/$compare-qc`: how a scanner stands, its charts, and scanners side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored
from slipring.qc.equipment.chart import Point, chart_of
from slipring.qc.equipment.comparing import Sample

from slipring_order.equipment.chart_answer import as_chart, as_pair
from slipring_order.equipment.comparability import pairs, samples
from slipring_order.equipment.programme import Stands, as_part
from slipring_order.equipment.round import outputs
from slipring_order.equipment.values import round_of
from slipring_order.handlers.qc_recording import held_against
from slipring_order.reading import moment, reference_of
from slipring_order.rooms.booking import known_scanner
from slipring_order.rooms.scanner import is_ct
from slipring_order.rooms.scanner_standard import bounds_of, editions, tests, unit_of
from slipring_order.rooms.scanners import measured_on
from slipring_order.rooms.testing import Result, ScannerTest, result_of, standing

_FEWEST = 2  # scanners that are compared


async def programme_told(call: Call, desk: Desk) -> Changes:
    """Every test of a scanner: its state, due day by both intervals, baseline with approver, limits of both editions."""
    device = _scanner(call)
    measured = await measured_on(device.reference, desk)
    chosen = desk.settings.scanner_edition
    limits = desk.settings.scanner_limits.on(desk.now.astimezone(desk.settings.zone).date())
    results = [one for stored in measured if (one := result_of(stored.resource, desk.settings.zone))]
    by_edition = {
        name: standing(results, desk.now, limits, name, desk.settings.zone)
        for name in dict.fromkeys([chosen, *editions()])
    }
    lines = []
    for place, test in enumerate(by_edition[chosen]):
        passes = {name: tests[place].passes for name, tests in by_edition.items()}
        stands = Stands(test, passes, await _approver(test, measured, desk))
        lines.append(as_part(stands, limits, chosen))
    answer = [{"name": "edition", "valueCode": chosen}, *lines]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


async def chart_told(call: Call, desk: Desk) -> Changes:
    """One test of a scanner as a control chart: values, centre and limits of each phase, what Westgard's rules and EWMA say."""
    device, test = _scanner(call), _test(call)
    measured = await measured_on(device.reference, desk, test)
    held = held_against([one.resource for one in measured], desk)
    rounds = {one.reference: round for one in measured if (round := round_of(one.resource))}
    mine = [one for one in held.values() if one.result.test == test and one.result.value is not None]
    points = [
        Point(one.result.at, float(one.result.value or 0), one.result.reference, one.sets_baseline)
        for one in mine
        if not one.result.preliminary
    ]
    chart = chart_of(points, desk.now.astimezone(desk.settings.zone).date())
    last = mine[-1] if mine else None
    bounds = None
    if last is not None and last.limit is not None:
        baseline = last.baseline.value if last.baseline else None
        bounds = bounds_of(test, last.limit, baseline, last.result.nominal)
    told = as_chart(chart, {one.result.reference: one for one in mine}, rounds, unit_of(test), bounds)
    return Changes(answer={"resourceType": "Parameters", "parameter": told})


async def scanners_compared(call: Call, desk: Desk) -> Changes:
    """Scanners side by side on the same phantom values: the difference of each pair with its interval, against what is allowed."""
    test, since, until = _test(call), _moment(call, "since", desk), _moment(call, "until", desk)
    named = [reference_of(one) for one in call.values("scanner")]
    if len(set(named)) < _FEWEST:
        raise _refused(call, "scanner", "Two scanners at least are compared.", "至少比较两台设备。", "scanners")
    results: dict[str, list[Result]] = {}
    for reference in dict.fromkeys(named):
        await known_scanner({"reference": reference}, call.at("scanner"), desk)
        measured = await measured_on(reference, desk, test)
        results[reference] = [one for each in measured if (one := result_of(each.resource, desk.settings.zone))]
    found = samples(results, test, since, until)
    day = desk.now.astimezone(desk.settings.zone).date()
    answer: list[Resource] = [
        {"name": "scanner", "part": _sampled(reference, found.get(reference))} for reference in results
    ]
    answer += [as_pair(pair, unit_of(test)) for pair in pairs(found, test, day)]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def _sampled(reference: str, sample: Sample | None) -> list[Resource]:
    said: list[Resource] = [{"name": "scanner", "valueReference": {"reference": reference}}]
    if sample is None:
        return [*said, {"name": "count", "valueInteger": 0}]
    return [
        *said,
        {"name": "count", "valueInteger": sample.count},
        {"name": "mean", "valueDecimal": round(sample.mean, 4)},
    ]


async def _approver(test: ScannerTest, measured: Sequence[Stored], desk: Desk) -> str:
    """Who approved the round that set the baseline; empty where it came without one."""
    if test.baseline_set is None:
        return ""
    setting = next(one.resource for one in measured if one.reference == test.baseline_set.of)
    round = round_of(setting)
    task = await desk.read(f"Task/{round}") if round else None
    return next(iter(outputs(task.resource, "approver")), "") if task else ""


def _scanner(call: Call) -> Stored:
    if call.target is None or not is_ct(call.target.resource):
        raise not_found("Device")
    return call.target


def _test(call: Call) -> str:
    test = str(call.value("test") or "")
    if test not in tests():
        known = ", ".join(tests())
        raise _refused(call, "test", f"test is one of {known}.", f"test 须为下列之一：{known}。", "test")
    return test


def _moment(call: Call, name: str, desk: Desk) -> datetime | None:
    said = call.value(name)
    found = moment(said, desk.settings.zone, end_of_day=name == "until") if said is not None else None
    if said is not None and found is None:
        raise _refused(call, name, f"`{name}` is a day or a moment.", f"{name} 须为日期或时刻。", "day")
    return found


def _refused(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=f"order.qc-asked-{detail}")

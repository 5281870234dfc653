"""A scanner is fit by its service state and its tests: within limits, in time, however they were entered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.scanner_tests import asked_fitness
from slipring_order.reading import instant
from slipring_order.rooms.fitness import Fitness, fitness
from slipring_order.rooms.measured import TEST_SYSTEM
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, findings, moved, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, call, out, period, schedule

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
UNITS = {
    "water": "[hnsf'U]",
    "noise": "%",
    "couch": "mm",
    "spatial-resolution": "/cm",
    "laser": "mm",
    "uniformity": "HU",
}


def a_result(test: str, value: float, at: datetime = NOON, kind: str = "", id: str = "o-r", **more: Any) -> Resource:
    tree: Resource = {
        "resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": "Device/o-ct1"},
        "code": {"coding": [{"system": TEST_SYSTEM, "code": test}]}, "effectiveDateTime": instant(at),
        "valueQuantity": {"value": value, "code": UNITS[test]},
    } | more  # fmt: skip
    return tree | ({"method": {"coding": [{"code": kind}]}} if kind else {})


def judged(*results: Resource, at: datetime = NOON, confirmed: str = "", **settings: Any) -> Fitness:
    made = OrderSettings(limits_confirmed=frozenset(filter(None, [confirmed])), **settings)
    return fitness(a_scanner(), results, at, made.scanner_limits, ZONE, edition=made.scanner_edition)


def blocked_by(found: Fitness) -> set[str]:
    return {str(finding.inputs.get("test", finding.rule)) for finding in found.blocking}


ACCEPTED = a_result("water", 0.5, NOON - timedelta(days=20), "acceptance", "o-a")


@pytest.mark.clause("5.6.2.3")
@pytest.mark.parametrize(
    ("test", "value", "kind", "fits"),
    [
        ("water", 4.0, "acceptance", True),
        ("water", 4.04, "acceptance", True),  # rounded to the display first
        ("water", 4.05, "acceptance", False),
        ("water", 6.0, "status", True),
        ("water", -6.1, "status", False),
        ("water", 4.5, "constancy", True),  # 4.0 off the baseline of 0.5
        ("water", 4.6, "constancy", False),
        ("noise", 0.34, "acceptance", True),
        ("noise", 0.35, "acceptance", False),  # "below" is strict
        ("noise", 0.45, "status", False),
        ("couch", -2.0, "constancy", True),
        ("couch", 2.1, "constancy", False),
    ],
)
def test_a_result_is_held_against_the_limit_of_its_kind_and_the_bounds_are_as_the_standard_says(
    test: str, value: float, kind: str, fits: bool
) -> None:
    found = judged(ACCEPTED, a_result(test, value, kind=kind))
    assert (test not in blocked_by(found)) is fits


def test_a_number_nobody_confirmed_asks_and_takes_no_scanner_away() -> None:
    poor = a_result("spatial-resolution", 4.0, kind="status")
    found = judged(ACCEPTED, poor)
    assert found.fit and [f.softened for f in found.findings if f.rule == "order.scanner-within-limits"] == [True]
    assert blocked_by(judged(ACCEPTED, poor, confirmed="*")) == {"spatial-resolution"}


def test_what_nobody_can_compare_is_no_failure_but_the_testers_own_verdict_counts() -> None:
    assert judged(a_result("noise", 0.3)).fit  # constancy without a baseline
    assert judged(ACCEPTED, a_result("water", 99, valueQuantity={"value": 99, "unit": "apples"})).fit
    said = [{"coding": [{"code": "A"}]}]
    assert blocked_by(judged(ACCEPTED, a_result("noise", 0.3, interpretation=said))) == {"noise"}


@pytest.mark.clause("5.3.1.2, 5.3.1.4")
@pytest.mark.parametrize(
    ("passed", "today", "overdue"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), False),
        (date(2026, 1, 31), date(2026, 3, 1), True),  # a month from 31 January ends in February
        (date(2026, 2, 2), date(2026, 3, 2), False),
        (date(2026, 2, 1), date(2026, 3, 2), True),
    ],
)
def test_a_monthly_test_is_due_a_calendar_month_after_it_was_passed(passed: date, today: date, overdue: bool) -> None:
    def at(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)

    fresh = [a_result(test, 0.3, at(today), id=f"o-{test}") for test in ("couch", "uniformity")]
    found = judged(a_result("water", 0, at(passed), "acceptance"), *fresh, at=at(today))
    assert ("water" in blocked_by(found)) is overdue
    laser = next(f for f in judged(ACCEPTED, at=NOON + timedelta(days=60)).findings if f.inputs.get("test") == "laser")
    assert laser.softened, "the interval of the positioning light is ours"


def test_a_failure_is_no_pass_and_withdrawn_results_do_not_count() -> None:
    bad = a_result("water", 9, id="o-bad")
    assert blocked_by(judged(ACCEPTED, bad)) == {"water"}
    assert judged(ACCEPTED, bad | {"status": "entered-in-error"}).fit
    assert judged(ACCEPTED, bad, a_result("water", 1, NOON, id="o-good") | {"effectiveDateTime": instant(NOON)}).fit


def test_a_scanner_without_any_test_is_warned_about_and_one_out_of_service_is_blocked() -> None:
    found = judged()
    assert found.fit and [finding.rule for finding in found.findings] == ["order.scanner-tested"]
    limits = OrderSettings().scanner_limits
    assert not fitness(a_scanner(status="inactive"), [], NOON, limits, ZONE).fit
    stopped = a_scanner(
        extension=[
            {"url": "https://slipring.example/fhir/StructureDefinition/service-state", "valueCode": "out-of-service"}
        ]
    )
    assert not fitness(stopped, [], NOON, limits, ZONE).fit


RESULTS = st.lists(
    st.tuples(st.sampled_from(sorted(UNITS)), st.floats(-60, 60), st.integers(0, 40), st.sampled_from(["", "status"])),
    max_size=8,
)


@given(RESULTS, st.randoms())
def test_the_order_in_which_results_are_entered_makes_no_difference(
    entered: list[tuple[str, float, int, str]], random: Any
) -> None:
    trees = [
        a_result(test, round(value, 3), NOON - timedelta(days=days), kind, f"o-{number}")
        for number, (test, value, days, kind) in enumerate(entered)
    ]
    first = judged(*trees)
    random.shuffle(trees)
    assert judged(*trees) == first


async def enter(desk: ADesk, result: Resource, method: Any = "create") -> Changes:
    before = await desk.read(f"Observation/{result['id']}")
    changes = await observation_written(Write(method, result, before), desk)
    desk.carry_out(changes, None if method == "delete" else result)
    if method == "delete":
        desk.hold(result, deleted=True)
    return changes


@pytest.mark.clause("5.6.2.3")
async def test_a_failing_test_opens_a_nonconformity_with_the_exams_since_the_last_pass_and_a_pass_returns_it() -> None:
    desk = a_booking_desk()
    await enter(desk, a_result("water", 0.5, NOW - timedelta(days=9), "acceptance", "o-a"))
    await received(desk, a_request())
    scanner: Any = ("Reference", {"reference": "Device/o-ct1"})
    await schedule(desk, scanner=scanner, period=period(NOW + timedelta(hours=1)))
    await moved(desk, "arrived", "ready", "in-progress")
    await enter(desk, a_result("water", 7.5, NOW, id="o-bad"))
    [task] = [s.resource for s in await desk.search("Task?focus=Device/o-ct1&code=nonconformity")]
    exams = [
        e["valueReference"]["reference"]
        for e in task["input"]
        if e["type"]["coding"][0]["code"] == "exam-since-last-pass"
    ]
    assert exams == [f"Task/{(await the_exam(desk))['id']}"]
    assert findings(desk) >= {"order.scanner-within-limits"}
    again = await enter(desk, a_result("water", 8.0, NOW + timedelta(minutes=1), id="o-worse"))
    assert not again.save, "it is out of limits already"
    desk.now = NOW + timedelta(hours=1)
    await enter(desk, a_result("water", 0.0, desk.now, id="o-repaired"))
    [task] = [s.resource for s in await desk.search("Task?focus=Device/o-ct1&code=nonconformity")]
    assert task["status"] == "requested" and "Passed again" in task["note"][0]["text"]
    answer = await asked_fitness(call(await desk.read("Device/o-ct1")), desk)
    assert out(answer, "fit") == [True]


@pytest.mark.parametrize("way", ["update", "delete"])
async def test_a_correction_or_a_withdrawal_takes_the_scanner_out_of_limits_as_well(way: str) -> None:
    desk = a_booking_desk()
    await enter(desk, a_result("water", 0.5, NOW - timedelta(days=9), "acceptance", "o-a"))
    await enter(desk, a_result("water", 7.5, NOW - timedelta(days=2), id="o-bad"))
    good = a_result("water", 0.5, NOW - timedelta(days=1), id="o-good")
    await enter(desk, good)
    changes = await enter(desk, good | {"valueQuantity": {"value": 9, "code": "HU"}} if way == "update" else good, way)
    assert {rule_of(save.resource) for save in changes.save} >= {"order.scanner-within-limits"}


async def test_a_result_that_was_entered_for_the_wrong_scanner_counts_for_the_right_one() -> None:
    desk = a_booking_desk(a_scanner("o-ct2"))
    for scanner in ("o-ct1", "o-ct2"):
        accepted = a_result("water", 0.5, NOW - timedelta(days=9), "acceptance", f"o-a-{scanner}")
        await enter(desk, accepted | {"subject": {"reference": f"Device/{scanner}"}})
    bad = a_result("water", 7.5, NOW, id="o-bad")
    await enter(desk, bad)
    await enter(desk, bad | {"subject": {"reference": "Device/o-ct2"}}, "update")
    [right] = await desk.search("Task?focus=Device/o-ct2&code=nonconformity")
    assert right.resource["status"] == "requested"
    [wrong] = await desk.search("Task?focus=Device/o-ct1&code=nonconformity")
    assert "Passed again" in wrong.resource["note"][0]["text"]


@pytest.mark.clause("5.6.2.3")
async def test_no_exam_starts_on_a_scanner_out_of_limits_but_an_emergency_may() -> None:
    for priority in ("routine", "stat"):
        desk = a_booking_desk()
        await enter(desk, a_result("water", 0.5, NOW - timedelta(days=9), "acceptance", "o-a"))
        await received(desk, a_request(priority=priority))
        scanner: Any = ("Reference", {"reference": "Device/o-ct1"})
        await schedule(desk, scanner=scanner, period=period(NOW + timedelta(hours=1)))
        await moved(desk, "arrived", "ready")
        await enter(desk, a_result("water", 7.5, NOW, id="o-bad"))
        exam = await the_exam(desk)
        running = exam | {"businessStatus": resources.state_concept("in-progress")}
        changes = await task_written(Write("update", running, await desk.read(f"Task/{exam['id']}")), desk)
        assert "order.scanner-fit" in {rule_of(save.resource) for save in changes.save}
        if priority == "stat":
            assert changes.refuse is None
        else:
            assert changes.refuse and "CT number of water" in changes.refuse.issues[0].en

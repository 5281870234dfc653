"""Rosters in use: saved, looked at ahead, rung by, swapped; and whom a finding would ring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import case_facts
from slipring_critical.directory.schedules import hours_of
from slipring_critical.handlers import asking
from slipring_critical.service import SERVICE

from tests.support.alerting import a_ladder, a_step
from tests.support.on_call import ADirectory, a_roster, a_shift, on_call, refusal
from tests.support.ringing import a_finding, a_handover


@pytest.mark.clause("5.9.1")
async def test_whoever_is_on_call_now_is_rung_for_the_office() -> None:
    """It is noon on Monday in Shanghai: Anne is on call, Bob from Tuesday at eight."""
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    await department.wait(4)
    assert sorted(department.rung[2:]) == ["anne.test", "requester.test", "ward.test"]


@pytest.mark.clause("5.9.1")
async def test_a_hole_in_the_roster_goes_to_the_next_step_at_once_and_is_on_record() -> None:
    """Every mistake of a roster makes the ladder climb sooner, never stop."""
    department = ADirectory(
        a_ladder(a_step("ward-duty"), a_step("department-head"), a_step("fallback"), status="active")
    )
    await department.written(a_roster(handover="", place="Location/o-ward"))
    await department.arrive(a_handover())
    await department.arrive(a_finding())

    assert department.rung == ["head.test"]
    events = [(one.what, one.who, one.outcome) for one in case_facts(department.case).events]
    assert ("no-route", "ward-duty", "nobody-on-call") in events
    assert department.silent_cases() == []


async def test_a_roster_of_another_ward_rings_nobody_here() -> None:
    department = ADirectory(
        a_ladder(a_step("ward-duty"), a_step("department-head"), a_step("fallback"), status="active")
    )
    await department.written(a_roster("anne", place="Location/o-other"))
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    assert department.rung == ["head.test"]


@pytest.mark.clause("5.9.1")
async def test_somebody_without_a_route_is_refused_when_the_roster_is_saved_with_the_hours() -> None:
    department = ADirectory()
    with pytest.raises(FhirError) as refused:
        await department.written(a_roster("anne", "dora"))
    [issue] = refused.value.issues
    assert (issue.detail, issue.at) == ("critical.roster-no-route", "Schedule.actor[1]")
    assert "2026-03-03 08:00 - 2026-03-04 08:00" in issue.en
    assert "2026-03-03 08:00 - 2026-03-04 08:00" in issue.zh


@pytest.mark.parametrize(
    ("roster", "found"),
    [
        (a_roster("anne", "nobody"), ("critical.roster-person", "Schedule.actor[1]")),
        (a_roster("anne", office="requester"), ("critical.roster-office", "Schedule.serviceType")),
        (a_roster("anne", handover="monthly"), ("critical.roster-rotation", "Schedule.extension[0]")),
        (a_roster("anne", at="noon"), ("critical.roster-rotation", "Schedule.extension[0]")),
        (a_roster(place="Location/o-ward"), ("critical.roster-members", "Schedule.actor")),
        (a_roster("anne", place="Device/o-ct"), ("critical.roster-actor", "Schedule.actor[1]")),
    ],
)
async def test_a_roster_that_says_nothing_sound_is_refused_at_the_element(
    roster: Resource, found: tuple[str, str]
) -> None:
    assert found in await refusal(ADirectory().written(roster))


@pytest.mark.parametrize(
    ("shift", "found"),
    [
        (
            a_shift("dora", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"),
            ("critical.roster-no-route", "Slot.extension"),
        ),
        (a_shift("bob", "2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z"), ("critical.roster-shift-hours", "Slot.end")),
        (a_shift("bob", "2026-03-02T10:00:00Z", "2026-04-02T09:00:00Z"), ("critical.roster-shift-hours", "Slot.end")),
        (
            {**a_shift("bob", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"), "extension": []},
            ("critical.roster-shift-person", "Slot.extension"),
        ),
    ],
)
async def test_a_shift_is_checked_when_it_is_saved(shift: Resource, found: tuple[str, str]) -> None:
    department = ADirectory()
    await department.written(a_roster("anne"))
    assert found in await refusal(department.written(shift))


def test_a_shift_that_begins_at_a_leap_second_has_hours() -> None:
    hours = hours_of(a_shift("bob", "2026-12-31T23:59:60Z", "2027-01-01T12:00:00Z"))
    assert [at.isoformat() for at in hours] == ["2026-12-31T23:59:59+00:00", "2027-01-01T12:00:00+00:00"]


async def test_a_roster_is_kept_by_whom_the_department_names() -> None:
    assert await refusal(ADirectory().written(a_roster("anne"), by="anne")) == [("critical.roster-keeper", "Schedule")]


@pytest.mark.clause("5.9.1")
async def test_gaps_ahead_are_told_at_once_kept_current_and_done_when_they_are_filled() -> None:
    department = ADirectory()
    await department.written(a_roster(handover="", place="Location/o-ward"))
    assert department.gaps == [("nobody-on-call", "03-02T04:00", "03-09T04:00")]

    await department.written(a_shift("anne", "2026-03-02T04:00:00Z", "2026-03-08T04:00:00Z"))
    assert department.gaps == [("nobody-on-call", "03-08T04:00", "03-09T04:00")]
    await department.written(a_shift("bob", "2026-03-08T04:00:00Z", "2026-03-12T04:00:00Z"))
    assert department.gaps == []

    await department.wait(24 * 60 * 4)  # every day the look goes one day further ahead
    assert [gap[0] for gap in department.gaps] == ["nobody-on-call"]
    await department.written({**a_roster(handover="", place="Location/o-ward"), "active": False})
    assert department.gaps == []
    assert not [key for key in department.armed if key.startswith("roster:")]


async def test_a_route_that_goes_makes_a_gap_within_the_second() -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    assert department.gaps == []
    await department.written({**department.desk.held["Endpoint/k-bob.test"].resource, "status": "off"})
    assert ("no-route", "03-03T00:00", "03-04T00:00") in department.gaps
    assert "roster" in SERVICE.deadlines and "roster_gaps" in SERVICE.alarms


async def rehearsed(department: ADirectory, **values: Any) -> list[Resource]:
    told = await department.asked(asking.who_is_rung, **values)
    return [one["part"] for one in told["parameter"] if one["name"] == "step"]


def of(parts: list[Resource], name: str) -> list[Any]:
    return [next(value for key, value in one.items() if key != "name") for one in parts if one["name"] == name]


@pytest.mark.clause("5.9.1")
async def test_a_department_rehearses_its_ladder_and_every_gap_is_named() -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    before = len(department.saved)
    steps = await rehearsed(
        department, level="1", ward={"reference": "Location/o-ward"}, at="2026-03-03T07:58:00+08:00"
    )
    assert [of(step, "outcome") for step in steps] == [["rung"], ["rung"], ["rung"], ["rung"]]
    first = {of(target, "role")[0]: target for target in of(steps[0], "target")}
    assert of(first["requester"], "gap") == ["not-named"]
    # The second step comes at 08:01, after the handover: it is Bob who would be rung.
    second = {of(target, "role")[0]: target for target in of(steps[1], "target")}
    assert of(second["ward-duty"], "person") == [{"reference": "Practitioner/o-bob"}]
    assert [float(of(step, "after")[0]) for step in steps] == [0, 3, 6, 10]
    assert len(department.saved) == before and department.rung == []


async def test_the_rehearsal_rings_whom_the_case_then_rings() -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    steps = await rehearsed(
        department, level="1", ward={"reference": "Location/o-ward"}, requester=on_call("requester")
    )
    expected = [
        route[1]["valueReference"]["reference"].removeprefix("Endpoint/k-")
        for step in steps
        for target in of(step, "target")
        for route in of(target, "route")
    ]
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    await department.wait(timedelta(minutes=11) / timedelta(minutes=1))
    assert department.rung == expected


@pytest.mark.parametrize(
    ("handler", "target", "values", "found"),
    [
        (asking.who_is_rung, "", {"level": "7"}, "critical.level-unknown"),
        (asking.who_is_rung, "", {"at": "yesterdayT"}, "critical.moment"),
        (asking.who_is_rung, "", {"at": "0001-01-01T00:00:00Z"}, "critical.moment"),
        (asking.on_call_told, "Schedule/k-roster", {"from_": "9999-12-31T00:00:00Z"}, "critical.moment"),
        (asking.on_call_told, "Schedule/k-roster", {"until": "2027-03-02T00:00:00Z"}, "critical.on-call-span"),
        (asking.on_call_told, "Schedule/none", {}, "critical.roster-none"),
    ],
)  # fmt: skip
async def test_a_question_that_means_nothing_is_refused(
    handler: Any, target: str, values: dict[str, str], found: str
) -> None:
    department = ADirectory()
    await department.written(a_roster("anne"))
    assert [detail for detail, _ in await refusal(department.asked(handler, target=target, **values))] == [found]

"""The department's own ladders: drafted by one, approved by another, refused at the element, and the one a case climbs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Resource
from slipring.rules.calendar import calendar
from slipring_critical.cases.facts import case_facts
from slipring_critical.ladders.choosing import hour_of

from tests.support.alerting import a_ladder, a_step
from tests.support.laying_down import a_desk, altered, approved, refusal, written
from tests.support.ringing import ARinging, a_department, a_finding, a_handover

ZONE = ZoneInfo("Asia/Shanghai")
TUESDAY_NIGHT = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)  # three in the morning of Wednesday


@pytest.mark.clause("5.9.1")
async def test_a_ladder_runs_once_a_second_qualified_person_stands_for_it() -> None:
    desk = a_desk()
    draft = await written(desk, a_ladder(), "first")
    active = {**draft, "status": "active"}

    assert await refusal(desk, active, "first") == [("critical.plan-second-person", "PlanDefinition.status")]
    assert ("staff.role", "PlanDefinition.status") in await refusal(desk, active, "clerk")
    changed = {**active, "action": [a_step("ward", minutes=30), a_step("fallback")]}
    assert await refusal(desk, changed) == [("critical.plan-changed-on-approval", "PlanDefinition.action")]
    kept = await written(desk, active, "second")

    assert kept["effectivePeriod"]["start"] == desk.now.isoformat(timespec="milliseconds")
    assert check(kept) == []
    names = {extension["url"].rpartition("/")[2]: extension["valueString"] for extension in kept["extension"]}
    assert names == {"drafted-by": "Practitioner/o-first", "approved-by": "Practitioner/o-second"}


async def test_what_was_approved_is_kept_and_can_only_be_retired() -> None:
    desk = a_desk()
    kept = (await approved(desk, a_ladder())).resource

    assert await refusal(desk, {**kept, "status": "draft"}) == [("critical.plan-fixed", "PlanDefinition.status")]
    assert await refusal(desk, kept, method="delete") == [("critical.plan-kept", "PlanDefinition.status")]
    other = {**kept, "type": {"coding": [{"code": "order-set"}]}}
    assert await refusal(desk, other) == [("critical.plan-type", "PlanDefinition.type")]
    assert (await written(desk, {**kept, "status": "retired"}, "first"))["status"] == "retired"


async def test_nobody_begins_with_an_active_ladder() -> None:
    found = await refusal(a_desk(), {**a_ladder(), "status": "active"})
    assert found == [("critical.plan-draft-first", "PlanDefinition.status")]


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(
    ("at", "value", "detail", "element"),
    [
        ("action", [], "steps", "action"),
        ("action.0.participant", [], "nobody", "action[0].participant"),
        ("action.0.participant.0.role.coding.0.code", "porter", "target", "action[0].participant[0].role"),
        ("action.0.code", [], "channel", "action[0].code"),
        ("action.0.code.0.coding.0.code", "pigeon", "channel", "action[0].code[0]"),
        ("action.0.code.0.coding.0.code", "in-person", "channel", "action[0].code[0]"),
        ("action.0.timingDuration.value", 0, "wait", "action[0].timingDuration"),
        ("action.0.timingDuration.code", "mo", "wait", "action[0].timingDuration"),
        ("action.0.timingDuration", None, "wait", "action[0].timingDuration"),
        ("action.0.selectionBehavior", "at-most-one", "reach", "action[0].selectionBehavior"),
        ("action.0.action", [{"title": "more"}], "nested", "action[0].action"),
        ("action.1.participant.0.role.coding.0.code", "ward", "desk", "action[1].participant"),
        ("goal", [], "act-within", "goal"),
        ("useContext", [], "level", "useContext"),
        ("useContext.0.code.code", "weather", "context", "useContext[0].code"),
        ("useContext.0.valueCodeableConcept.coding.0.code", "4", "level", "useContext[0].valueCodeableConcept"),
    ],
)  # fmt: skip
async def test_a_ladder_that_would_be_silent_is_refused_at_the_element(
    at: str, value: Any, detail: str, element: str
) -> None:
    found = await refusal(a_desk(), altered(a_ladder(), at, value), "first")
    assert (f"critical.ladder-{detail}", f"PlanDefinition.{element}") in found


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        ("2026-03-03T12:30", "day"),  # the pause at noon is day
        ("2026-03-03T07:59", "night"),
        ("2026-03-03T17:30", "night"),
        ("2026-03-01T12:00", "holiday"),  # a Sunday
        ("2026-02-16T12:00", "holiday"),  # a Monday of the Spring Festival
        ("2026-02-14T12:00", "day"),  # a Saturday that a circular makes a working day
    ],
)
def test_the_hour_is_that_of_the_working_calendar(moment: str, hour: str) -> None:
    assert hour_of(datetime.fromisoformat(moment).replace(tzinfo=ZONE), calendar(), ZONE) == hour


async def rung_first(*plans: Resource, now: datetime | None = None, finding: str = "CV-CT-07") -> tuple[list[str], str]:
    """Who is rung first when a case opens, and by which record."""
    desk = a_desk()
    for plan in plans:
        await approved(desk, plan)
    ringing = ARinging(*a_department())
    for plan in plans:
        ringing.desk.held[f"PlanDefinition/{plan['id']}"] = desk.held[f"PlanDefinition/{plan['id']}"]
    if now:
        ringing.desk.now = now
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding(finding))
    return ringing.rung, case_facts(ringing.case).policy.record


DUTY = (a_step("ward-duty"), a_step("fallback"))
HEAD = (a_step("department-head"), a_step("fallback"))


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(
    ("plans", "now", "rung"),
    [
        ([], None, ["requester.test", "ward.test"]),
        ([a_ladder(*DUTY)], None, ["duty.test"]),
        ([a_ladder(*DUTY, level="2")], None, ["requester.test", "ward.test"]),
        ([a_ladder(*DUTY, hour="night")], None, ["requester.test", "ward.test"]),
        ([a_ladder(*DUTY), a_ladder(*HEAD, hour="night", id="k-night")], TUESDAY_NIGHT, ["head.test"]),
        ([a_ladder(*DUTY, venue="Location/o-ward"), a_ladder(*HEAD, id="k-all")], None, ["duty.test"]),
        ([a_ladder(*DUTY, venue="Location/o-other")], None, ["requester.test", "ward.test"]),
        ([a_ladder(*DUTY, finding="CV-CT-07"), a_ladder(*HEAD, id="k-w", venue="Location/o-ward")], None, ["duty.test"]),
    ],
)  # fmt: skip
async def test_a_case_climbs_the_ladder_that_says_most(
    plans: list[Resource], now: datetime | None, rung: list[str]
) -> None:
    found, record = await rung_first(*plans, now=now)
    assert found == rung
    assert bool(record) == (rung != ["requester.test", "ward.test"])


async def test_a_ladder_for_a_level_does_not_displace_the_one_for_a_finding() -> None:
    """A severe reaction still rings whoever can run there first, whatever a department lays down for its level."""
    _, record = await rung_first(a_ladder(*HEAD), finding="CV-CT-15")
    assert record == ""


async def test_a_running_case_keeps_the_ladder_it_was_opened_with() -> None:
    desk = a_desk()
    plan = await approved(desk, a_ladder(*DUTY))
    ringing = ARinging(*a_department())
    ringing.desk.held[plan.reference] = plan
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    ringing.desk.hold({**plan.resource, "status": "retired"})

    await ringing.wait(4)

    assert case_facts(ringing.case).policy.record == f"{plan.reference}/_history/2"
    assert ringing.state == "escalated"


BOTH = {"selectionBehavior": "all"}


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("reach", "rung"), [({}, ["duty.test"]), (BOTH, ["duty.test", "head.test"])])
async def test_a_step_for_all_hands_over_at_once_when_one_of_it_has_no_route(
    reach: dict[str, str], rung: list[str]
) -> None:
    steps = (a_step("ward-duty", "rescue-team", **reach), a_step("department-head"), a_step("fallback"))
    found, _ = await rung_first(a_ladder(*steps))
    assert found == rung


@pytest.mark.parametrize(("reach", "rung"), [({}, ["ward.test"]), (BOTH, ["ward.test", "head.test"])])
async def test_a_step_for_all_hands_over_when_one_of_it_fails_for_good(reach: dict[str, str], rung: list[str]) -> None:
    desk = a_desk()
    steps = (a_step("ward", "ward-duty", **reach), a_step("department-head"), a_step("fallback"))
    plan = await approved(desk, a_ladder(*steps))
    ringing = ARinging(*a_department())
    ringing.desk.held[plan.reference] = plan
    ringing.receivers.answers["duty.test"] = 404
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())

    assert [host for host in ringing.rung if host != "duty.test"] == rung
    assert ringing.silent_cases() == []

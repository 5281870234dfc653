"""Cases as they open, climb and are delivered: the handlers on a desk in memory with a fake clock."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import CASE_EVENT, LADDER_SNAPSHOT, case_facts
from slipring_critical.settings import CriticalSettings

from tests.support.ringing import ARinging, a_department, a_finding, a_handover, a_request, a_route

PATIENT = "Patient/o-p"


def events(ringing: ARinging) -> list[str]:
    return [event.what for event in case_facts(ringing.case).events]


async def an_open_case(*holding: Resource, settings: CriticalSettings | None = None) -> ARinging:
    ringing = ARinging(*(holding or a_department()), settings=settings)
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


@pytest.mark.parametrize("order", [(a_finding, a_handover), (a_handover, a_finding)])
async def test_a_case_opens_once_both_halves_are_here_in_either_order(order: tuple[Any, Any]) -> None:
    ringing = ARinging(*a_department())

    await ringing.arrive(order[0]())
    assert ringing.cases == []
    await ringing.arrive(order[1]())

    assert ringing.state == "notifying"
    assert ringing.rung == ["requester.test", "ward.test"]


async def test_a_case_opens_when_both_halves_are_committed_without_seeing_each_other() -> None:
    """Two arrivals at the same moment both wake one look, and that look comes after both."""
    ringing = ARinging(*a_department())
    ringing.desk.hold(a_finding(), source="report")

    await ringing.arrive(a_handover())

    assert len(ringing.cases) == 1


async def test_the_case_names_its_finding_its_handover_its_patient_and_its_author() -> None:
    case = (await an_open_case()).case

    assert case["basedOn"] == [{"reference": "Task/r-handover"}]
    assert case["focus"] == {"reference": "Observation/r-finding"}
    assert case["for"] == {"reference": PATIENT}
    assert case["owner"] == {"reference": "Practitioner/o-author"}
    assert (case["priority"], case["status"]) == ("stat", "requested")
    assert any(extension["url"] == LADDER_SNAPSHOT for extension in case["extension"])


async def test_a_second_delivery_changes_nothing() -> None:
    ringing = await an_open_case()
    before = ringing.case

    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())

    assert ringing.case == before
    assert len(ringing.rung) == 2


async def test_the_same_finding_flagged_again_joins_the_case() -> None:
    ringing = await an_open_case()

    await ringing.arrive(a_handover("r-second", focus={"reference": "Observation/r-again"}))
    await ringing.arrive(a_finding(id="r-again"))

    assert [basis["reference"] for basis in ringing.case["basedOn"]] == ["Task/r-handover", "Task/r-second"]
    assert len(ringing.rung) == 2


async def test_another_finding_of_the_same_exam_is_a_case_of_its_own() -> None:
    ringing = await an_open_case()

    await ringing.arrive(a_handover("r-second", focus={"reference": "Observation/r-other"}))
    await ringing.arrive(a_finding("CV-CT-06", id="r-other"))

    assert len(ringing.cases) == 2


@pytest.mark.parametrize("status", ["completed", "cancelled", "entered-in-error"])
async def test_a_handover_that_is_over_opens_nothing(status: str) -> None:
    ringing = ARinging(*a_department())

    await ringing.arrive(a_handover(status=status))
    await ringing.arrive(a_finding())

    assert ringing.cases == []


async def test_a_finding_the_catalogue_does_not_know_rings_all_the_same() -> None:
    ringing = ARinging(*a_department())

    await ringing.arrive(a_finding("CV-MR-01"))
    await ringing.arrive(a_handover())

    assert events(ringing)[:2] == ["opened", "rule-finding"]
    assert ringing.rung == ["requester.test", "ward.test"]


async def test_the_level_of_the_flag_picks_the_ladder() -> None:
    level = {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/finding-level", "code": "2"}]}
    ringing = ARinging(*a_department())
    await ringing.arrive(a_finding(component=[{"code": {"text": "level"}, "valueCodeableConcept": level}]))
    await ringing.arrive(a_handover())

    await ringing.wait(29)

    assert (ringing.case["priority"], len(ringing.rung)) == ("urgent", 2)


async def test_an_unanswered_case_climbs_the_ladder_and_begins_again() -> None:
    """CL02-A011:5.9.1: requester and ward, again with the duty doctor, department head, medical affairs, then anew."""
    ringing = await an_open_case()

    await ringing.wait(16)

    assert [(heard.at.minute, heard.host.partition(".")[0]) for heard in ringing.receivers.heard] == [
        (0, "requester"),
        (0, "ward"),
        (3, "requester"),
        (3, "ward"),
        (3, "duty"),
        (6, "head"),
        (10, "affairs"),
        (15, "requester"),
        (15, "ward"),
    ]
    assert ringing.state == "escalated"


async def test_a_message_names_the_case_and_no_patient() -> None:
    ringing = await an_open_case()
    body = str(ringing.receivers.heard[0].body)

    assert f"Task/{ringing.case['id']}" in body
    assert not any(word in body for word in ("o-p", "CV-CT-07", "CT2026", "o-ct"))


async def test_a_delivered_attempt_is_completed_and_moves_the_case_nowhere() -> None:
    """A provider's yes is not a person's receipt."""
    ringing = await an_open_case()
    attempts = [s.resource for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication"]

    assert [attempt["status"] for attempt in attempts] == ["completed", "completed"]
    assert all("sent" in attempt and "received" not in attempt for attempt in attempts)
    assert attempts[0]["recipient"] == [{"reference": "Practitioner/o-requester"}]
    assert ringing.state == "notifying"


async def test_a_failure_that_may_pass_is_repeated_under_the_same_attempt_id() -> None:
    ringing = ARinging(*a_department())
    ringing.receivers.answers["ward.test"] = 503
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    ringing.receivers.answers.clear()

    await ringing.wait(1)

    ward = [heard for heard in ringing.receivers.heard if heard.host == "ward.test"]
    assert len({heard.headers["idempotency-key"] for heard in ward}) == 1
    assert [heard.headers["slipring-repeat"] for heard in ward] == ["false", "true"]


async def test_when_every_attempt_of_a_step_fails_for_good_the_next_rings_at_once() -> None:
    ringing = ARinging(*a_department())
    ringing.receivers.answers.update({"requester.test": 404, "ward.test": 404})

    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())

    assert "duty.test" in ringing.rung
    assert "step-failed" in events(ringing)


async def test_one_attempt_that_arrived_keeps_the_step_its_time() -> None:
    ringing = ARinging(*a_department())
    ringing.receivers.answers["ward.test"] = 404

    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())

    assert ringing.rung == ["requester.test", "ward.test"]


async def test_a_target_without_a_route_is_on_record_and_the_next_step_rings_at_once() -> None:
    ringing = await an_open_case(a_request(), a_route("department-head", "head.test"))

    assert ringing.rung == ["head.test"]
    assert events(ringing).count("no-route") == 5


async def test_a_case_that_reaches_nobody_is_unreachable_and_keeps_trying() -> None:
    ringing = await an_open_case(a_request())
    assert ringing.state == "unreachable"
    assert ringing.silent_cases() == []

    ringing.desk.hold(a_route("medical-affairs", "affairs.test"))
    await ringing.wait(5)

    assert ringing.rung == ["affairs.test"]
    assert ringing.state == "escalated"


async def test_the_fallback_route_rings_when_the_roster_reaches_nobody() -> None:
    settings = CriticalSettings(fallback_route="https://desk.test/ring")

    ringing = await an_open_case(a_request(), settings=settings)

    assert ringing.rung == ["desk.test"]
    assert ringing.state == "notifying" or ringing.state == "escalated"


async def test_an_attempt_that_still_waits_is_stopped_when_its_route_rings_again() -> None:
    """A receiver's outage must not end in a pile of old messages."""
    ringing = ARinging(*a_department())
    ringing.receivers.answers.update({"requester.test": 0, "ward.test": 0})
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())

    for minute in range(40):
        waiting = [
            s.resource["extension"][0]["valueReference"]["reference"]
            for s in ringing.desk.held.values()
            if s.resource["resourceType"] == "Communication" and s.resource["status"] == "preparation"
        ]
        assert len(waiting) == len(set(waiting)), minute
        assert minute > 2 or sorted(waiting) == ["Endpoint/k-requester.test", "Endpoint/k-ward.test"]
        await ringing.wait(1)


async def test_a_late_deadline_of_an_earlier_step_takes_no_step_before_its_time() -> None:
    ringing = await an_open_case()
    key = f"step:Task/{ringing.case['id']}"
    ringing.armed[key].wake.payload["steps"] = 0  # type: ignore[index]
    ringing.armed[key].due_at = ringing.desk.now

    await ringing.settle()

    assert len(ringing.rung) == 2
    assert ringing.silent_cases() == []


async def test_a_clock_set_back_neither_stretches_nor_stops_the_ladder() -> None:
    ringing = await an_open_case()
    ringing._set_clock(ringing.desk.now.replace(hour=ringing.desk.now.hour - 2))
    (armed,) = [armed for armed in ringing.armed.values() if armed.wake.name == "step-overdue"]
    armed.due_at = ringing.desk.now  # the kernel keeps the remainder of running timers

    await ringing.wait(8)

    assert ringing.rung[-1] == "affairs.test"


async def test_an_office_with_an_organisation_serves_its_own_wards_only() -> None:
    holding = [
        *a_department(),
        a_route("ward-duty", "medicine.test", managingOrganization={"reference": "Organization/o-medicine"}),
        a_route("ward-duty", "surgery.test", managingOrganization={"reference": "Organization/o-surgery"}),
    ]
    ringing = await an_open_case(*holding)

    await ringing.wait(3)

    assert "surgery.test" in ringing.rung
    assert "medicine.test" not in ringing.rung


async def test_the_record_of_a_case_only_grows() -> None:
    ringing = await an_open_case()
    await ringing.wait(60)
    versions = [saved for saved in ringing.saved if saved["resourceType"] == "Task"]
    records = [[e for e in task["extension"] if e["url"] == CASE_EVENT] for task in versions]

    assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(records))

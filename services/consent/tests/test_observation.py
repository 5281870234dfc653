"""Observation after an injection: how long, who releases, what makes it longer, and who is told when nobody does."""

from datetime import timedelta

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Changes, Due, Write
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.observation import observation_given_back, observation_over, task_changed
from slipring_consent.observing.escalating import observation_overdue
from slipring_consent.observing.extending import after_a_reaction
from slipring_consent.reading import instant
from slipring_consent.settings import ConsentSettings

from tests.support.contrast import (
    PATIENT,
    a_cleared_department,
    a_consent,
    a_department,
    a_person,
    a_role,
    a_screening,
    an_egfr,
    an_injection,
)
from tests.support.desk import A_NOON, ADesk
from tests.support.observing import (
    LATE,
    OUTCOME,
    a_reaction,
    minutes,
    observed,
    parsed,
    refusals,
    release,
    state,
)

# --- how long ---


async def test_a_patient_without_risk_is_observed_for_the_usual_time() -> None:
    task = await observed(a_cleared_department())
    assert (minutes(task.resource), state(task.resource)) == (30, "running")


@pytest.mark.clause("5.4.4.1")
async def test_an_earlier_reaction_makes_the_observation_longer_and_the_task_says_why() -> None:
    desk = a_department(an_egfr(), a_screening(prior_reaction="mild"), a_consent())
    given = an_injection(status="stopped")
    begun = await contrast_written(Write("update", given, desk.hold(an_injection())), desk)
    [task] = [save.resource for save in begun.save]
    assert minutes(task) == 60
    assert "an earlier reaction to contrast" in str(task["input"])
    assert [wake.after for wake in begun.wake] == [timedelta(minutes=60)]


async def test_an_injection_without_a_known_exam_is_observed_too() -> None:
    desk = a_department(caller=LATE)
    given = an_injection(status="completed", statusReason=[{"text": "manual"}], supportingInformation=[])
    changes = await contrast_written(Write("create", given), desk)
    assert changes.refuse is None
    [task] = [
        one.resource
        for one in (save for save in changes.save)
        if one.resource["code"]["coding"][0]["code"] == "observation"
    ]
    assert "basedOn" not in task
    assert (task["for"], minutes(task)) == (PATIENT, 60), "nobody asked about earlier reactions: unknown is never no"


async def test_what_was_injected_hours_ago_is_recorded_late_and_rings_nobody() -> None:
    desk = a_cleared_department(caller=LATE)
    told = an_injection(
        status="completed",
        statusReason=[{"text": "in the downtime"}],
        effectiveDateTime=instant(A_NOON - timedelta(hours=5)),
    )
    changes = await contrast_written(Write("create", told), desk)
    [task] = [save.resource for save in changes.save if save.resource["code"]["coding"][0]["code"] == "observation"]
    assert (task["status"], state(task), list(changes.wake)) == ("ready", "recorded-late", [])


# --- a plain update ---


async def test_the_deadline_cannot_be_moved_by_a_first_update_and_used_by_a_second() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    moved = {**task.resource, "restriction": {"period": {"end": instant(A_NOON)}}}
    with pytest.raises(FhirError) as refused:
        await task_changed(Write("update", moved, task), desk)
    assert [issue.at for issue in refused.value.issues] == ["Task.restriction"]


@pytest.mark.parametrize("status", ["cancelled", "failed", "rejected", "ready", "on-hold"])
async def test_an_observation_ends_by_release_only(status: str) -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    changes = await task_changed(Write("update", {**task.resource, "status": status}, task), desk)
    assert changes.refuse is not None
    assert changes.refuse.status == 409


async def test_an_observation_is_wrong_only_when_its_injection_is() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    wrong = {**task.resource, "status": "entered-in-error"}
    with pytest.raises(FhirError):
        await task_changed(Write("update", wrong, task), desk)
    mistaken = an_injection(status="entered-in-error")
    given = desk.held["MedicationAdministration/c-injection"]
    changes = await contrast_written(Write("update", mistaken, given), desk)
    assert [save.resource["status"] for save in changes.save] == ["entered-in-error"]
    assert list(changes.cancel) == ["observation:MedicationAdministration/c-injection"]
    desk.hold(mistaken)
    assert (await task_changed(Write("update", wrong, task), desk)).refuse is None


async def test_left_out_members_come_back() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    bare = {name: task.resource[name] for name in ("resourceType", "id", "status", "intent", "code")}
    members = (await task_changed(Write("update", bare, task), desk)).members
    assert (members["restriction"], members["focus"]) == (task.resource["restriction"], task.resource["focus"])


# --- nobody releases ---


async def notices(desk: ADesk) -> list[str]:
    return [one.resource["status"] for one in await desk.search("Task?code=notice")]


def a_lead(desk: ADesk) -> None:
    desk.hold(a_person("o-lead", "senior-nurse"), source="order")
    desk.hold(a_role("o-lead", "nursing-lead"), source="order")


@pytest.mark.clause("5.4.4.1")
async def test_nobody_releases_and_the_observer_and_the_nurse_in_charge_are_told_again_and_again() -> None:
    desk = a_cleared_department()
    a_lead(desk)
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=30)
    over = await observation_over(Due("observation-over", task.reference, "a-key", desk.now, {}), desk)
    [wake] = over.wake
    assert (wake.name, wake.after, wake.key) == ("observation-overdue", timedelta(minutes=10), "a-key")
    desk.carry_out(over)
    desk.now += timedelta(minutes=10)
    first = await observation_overdue(Due(wake.name, task.reference, "a-key", desk.now, dict(wake.payload)), desk)
    owners = [save.resource["owner"]["reference"] for save in first.save if "owner" in save.resource]
    assert owners == ["Practitioner/o-nurse", "Practitioner/o-lead"]
    assert state(first.save[0].resource) == "overdue"
    assert [one.payload for one in first.wake] == [{"step": 1}]
    desk.carry_out(first)
    assert await notices(desk) == ["requested", "requested"]
    desk.carry_out(await release(desk, task))
    assert await notices(desk) == ["completed", "completed"]
    late = await observation_overdue(Due(wake.name, task.reference, "a-key", desk.now, {"step": 1}), desk)
    assert late == Changes.none()


async def test_when_the_injection_was_recorded_wrongly_nobody_has_to_look_any_more() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=40)
    desk.hold({**task.resource, "status": "ready"})
    desk.carry_out(await observation_overdue(Due("observation-overdue", task.reference, "a-key", desk.now, {}), desk))
    desk.carry_out(await observation_given_back("MedicationAdministration/c-injection", desk))
    assert (await notices(desk), state(desk.held[task.reference].resource)) == (["completed"], "given-back")


# --- a reaction ---


@pytest.mark.clause("5.4.4.1")
async def test_a_reaction_keeps_the_patient_until_it_resolved_and_for_a_while_after() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=10)
    begun = a_reaction(date=instant(desk.now))
    desk.hold(begun)
    desk.carry_out(await after_a_reaction(begun, None, desk))
    kept = desk.held[task.reference]
    assert (state(kept.resource), parsed(kept.resource["restriction"]["period"]["end"])) == (
        "reaction",
        A_NOON + timedelta(minutes=70),
    )
    assert await after_a_reaction(begun, begun, desk) == Changes.none()
    desk.now = A_NOON + timedelta(minutes=80)
    assert refusals(await release(desk, task)) == {"consent.observation-reaction"}
    still = await observation_over(Due("observation-over", task.reference, "a-key", desk.now, {}), desk)
    assert (list(still.save), [wake.name for wake in still.wake]) == ([], ["observation-over"])
    resolved = {**begun, "outcome": {"coding": [{"system": OUTCOME, "code": "resolved"}]}}
    desk.hold(resolved)
    desk.carry_out(await after_a_reaction(resolved, begun, desk))
    kept = desk.held[task.reference]
    assert (state(kept.resource), parsed(kept.resource["restriction"]["period"]["end"])) == (
        "running",
        desk.now + timedelta(minutes=60),
    )
    assert await after_a_reaction(resolved, resolved, desk) == Changes.none()


async def test_a_reaction_after_the_release_makes_nothing_longer() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=30)
    desk.carry_out(await release(desk, task))
    assert await after_a_reaction(a_reaction(), None, desk) == Changes.none()


async def test_the_longer_time_of_a_risk_asks_only_while_nobody_has_confirmed_it() -> None:
    desk = a_department(an_egfr(), a_screening(prior_reaction="mild"), a_consent(), settings=ConsentSettings())
    given = an_injection(status="completed")
    desk.carry_out(await contrast_written(Write("update", given, desk.hold(an_injection())), desk), given)
    [task] = await desk.search("Task?code=observation")
    desk.now = A_NOON + timedelta(minutes=29)
    assert refusals(await release(desk, task)) == {"consent.observation-time"}
    desk.now = A_NOON + timedelta(minutes=30)
    assert (await release(desk, task)).refuse is None


async def test_a_reaction_that_was_written_down_by_mistake_makes_nothing_longer_any_more() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    begun = a_reaction()
    desk.carry_out(await after_a_reaction(begun, None, desk))
    kept = desk.held[task.reference].resource["restriction"]
    desk.now = A_NOON + timedelta(minutes=20)
    phase = {"url": f"{CANONICAL}/StructureDefinition/reaction-phase", "valueCode": "entered-in-error"}
    desk.carry_out(await after_a_reaction({**begun, "extension": [phase]}, begun, desk))
    stands = desk.held[task.reference].resource
    assert (state(stands), stands["restriction"]) == ("running", kept)

"""Who gives contrast may no longer: the alarm is told for whoever the gate asked for, and for nobody else."""

from __future__ import annotations

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Arrival, Resource
from slipring_consent.handlers.alarms import staff_arrived
from slipring_consent.people import FUNCTION

from tests.support.contrast import a_cleared_department, a_person, a_role, an_injection
from tests.support.desk import ADesk

NURSE, JUNIOR, SECOND = "Practitioner/o-nurse", "Practitioner/o-junior", "Practitioner/o-second"
ROLE = "PractitionerRole/o-nurse-role"


def giver(reference: str) -> Resource:
    return {"actor": {"reference": reference}}


def observer(reference: str) -> Resource:
    return {"function": {"coding": [{"system": FUNCTION, "code": "observer"}]}, "actor": {"reference": reference}}


def a_room(*performers: Resource) -> ADesk:
    """Contrast runs, given and observed by these; a nurse with a role, and a second one who may give it too."""
    desk = a_cleared_department()
    for copy in (a_role("o-nurse", "nurse"), a_person("o-second", "senior-nurse", "ct-nursing-training")):
        desk.hold(copy, source="order")
    desk.hold(an_injection(status="in-progress", performer=list(performers)))
    return desk


async def arrives(desk: ADesk, resource: Resource, *, deleted: bool = False) -> set[str]:
    """Who is told."""
    before = await desk.read(f"{resource['resourceType']}/{resource['id']}")
    stored = desk.hold(resource, source="order", deleted=deleted)
    saves = (await staff_arrived(Arrival("order", resource, stored.version, deleted, before), desk)).save
    issues = [one.resource for one in saves if one.resource["resourceType"] == "DetectedIssue"]
    assert {rule_of(one) for one in issues} <= {"consent.changed-after-permission"}
    assert bool(issues) == bool(saves)
    return {one.resource["owner"]["reference"] for one in saves if one.resource["resourceType"] == "Task"}


def lapsed(person: str) -> Resource:
    return a_person(person, "senior-nurse", "ct-nursing-training", competent_until="2026-02-01")


@pytest.mark.clause("5.4.1")
async def test_a_giver_named_by_a_role_is_found_when_the_person_changes() -> None:
    desk = a_room(giver(ROLE), observer(JUNIOR))
    assert await arrives(desk, a_person("o-nurse", "senior-nurse", "ct-nursing-training")) == set()
    assert await arrives(desk, lapsed("o-nurse")) == {ROLE, JUNIOR}


async def test_a_role_that_is_taken_away_or_passes_to_another_tells_who_gives_by_it() -> None:
    role = a_role("o-nurse", "nurse")
    assert await arrives(a_room(giver(ROLE)), role, deleted=True) == {ROLE}
    assert await arrives(a_room(giver(ROLE)), role | {"practitioner": {"reference": JUNIOR}}) == {ROLE}
    assert await arrives(a_room(giver(ROLE)), role | {"practitioner": {"reference": SECOND}}) == set()


async def test_an_observer_needs_no_right_to_give() -> None:
    assert await arrives(a_room(giver(NURSE), observer(JUNIOR)), a_person("o-junior", "nurse")) == set()


@pytest.mark.parametrize("reference", [NURSE, ROLE])
async def test_while_one_giver_may_the_others_need_no_right(reference: str) -> None:
    desk = a_room(giver(reference), giver(SECOND))
    assert await arrives(desk, lapsed("o-nurse")) == set()
    assert await arrives(desk, lapsed("o-second")) == {reference, SECOND}


async def test_injections_that_others_give_are_not_looked_through() -> None:
    desk = a_room(giver(ROLE), observer(JUNIOR))
    for number in range(3):
        others = [giver(SECOND), observer(JUNIOR)]
        desk.hold(an_injection(status="on-hold", id=f"c-left{number}", performer=others))
    desk.limit_searches(of="MedicationAdministration", to=1)
    assert await arrives(desk, lapsed("o-nurse")) == {ROLE, JUNIOR}


async def test_who_is_not_at_this_injection_changes_nothing_about_it() -> None:
    assert await arrives(a_room(giver(JUNIOR)), lapsed("o-nurse")) == set()

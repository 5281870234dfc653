"""A lot after which more patients react than chance lets one expect."""

from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import CANONICAL, Changes, Resource, Write
from slipring_consent.contrast.holding import LOT_NUMBER
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.surveillance.signal import looked_at

from tests.support.contrast import IOHEXOL, a_department, a_person, a_role
from tests.support.desk import ADesk
from tests.support.giving import a_lot, a_reaction_to, a_ward, an_injection_of


def a_manager(desk: ADesk) -> None:
    desk.hold(a_person("o-manager", "attending-physician"), source="order")
    desk.hold(a_role("o-manager", "quality-manager"), source="order")


async def logged(desk: ADesk, event: Resource) -> Changes:
    changes = await reaction_logged(Write("create", event), desk)
    desk.carry_out(changes, event)
    return changes


def clusters(changes: Changes) -> list[Resource]:
    tasks = [save.resource for save in changes.save if save.resource["resourceType"] == "Task"]
    return [one for one in tasks if one["code"]["coding"][0]["code"] == "nonconformity"]


@pytest.mark.clause("4.13")
async def test_the_third_reaction_to_a_lot_opens_one_nonconformity_and_the_fourth_is_added_to_it() -> None:
    desk = a_ward(20)
    a_manager(desk)
    for number in (1, 2):
        assert clusters(await logged(desk, a_reaction_to(number))) == []
    third = await logged(desk, a_reaction_to(3))
    [opened] = clusters(third)
    assert opened["focus"] == {"reference": "Medication/c-L-1"}
    assert "3/20" in opened["description"]
    assert list(third.keys) == ["cluster:Medication/c-L-1:0"]
    owners = [save.resource["owner"]["reference"] for save in third.save if save.resource.get("owner")]
    assert owners == ["Practitioner/o-manager"]
    [added] = clusters(await logged(desk, a_reaction_to(4)))
    assert (added["id"], str(added["input"]).count("AdverseEvent/")) == (opened["id"], 4)
    assert (await looked_at(a_reaction_to(4), desk)).nothing


@pytest.mark.parametrize(
    "members",
    [
        {"event": {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-type", "code": "extravasation"}]}},
        {"actuality": "potential"},
    ],
)
async def test_what_is_no_reaction_to_the_agent_makes_no_lot_stand_out(members: dict[str, Any]) -> None:
    desk = a_ward(20)
    for number in range(5):
        event = a_reaction_to(number, **members)
        assert (await looked_at(event, desk)).nothing
        desk.hold(event)


async def test_three_reactions_among_thousands_are_chance() -> None:
    desk = a_ward(900)
    for number in (1, 2, 3):
        desk.hold(a_reaction_to(number))
    assert (await looked_at(a_reaction_to(3), desk)).nothing


async def test_two_severe_reactions_are_enough() -> None:
    desk = a_ward(20)
    severe = {"severity": {"coding": [{"code": "severe"}]}}
    desk.hold(a_reaction_to(1, **severe))
    [opened] = clusters(await looked_at(a_reaction_to(2, **severe), desk))
    assert "severe reactions" in str(opened["_description"])


async def test_after_a_nonconformity_was_closed_only_new_reactions_count() -> None:
    desk = a_ward(20)
    for number in (1, 2, 3):
        await logged(desk, a_reaction_to(number))
    [task] = await desk.search("Task?code=nonconformity")
    desk.hold({**task.resource, "status": "completed"})
    assert clusters(await logged(desk, a_reaction_to(4))) == []
    assert clusters(await logged(desk, a_reaction_to(5))) == []
    [again] = clusters(await logged(desk, a_reaction_to(6)))
    assert again["id"] != task.resource["id"]


def an_unkept(number: int, lot: str = "L-9") -> Resource:
    """An injection of a lot that only its contained Medication names."""
    named = {"resourceType": "Medication", "id": "pack", "code": IOHEXOL, "batch": {"lotNumber": lot}}
    return an_injection_of(
        number, lot, contained=[named], medicationReference={"reference": "#pack"},
        identifier=[{"system": LOT_NUMBER, "value": lot}],
    )  # fmt: skip


def a_ward_of_unkept(injections: int) -> ADesk:
    desk = a_department()
    a_manager(desk)
    for number in range(injections):
        desk.hold(an_unkept(number))
    return desk


@pytest.mark.clause("4.13")
async def test_a_lot_that_only_a_contained_medication_names_stands_out_as_well() -> None:
    desk = a_ward_of_unkept(20)
    other = an_unkept(50)
    other["contained"][0]["code"] = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB05"}]}
    desk.hold(other)  # another agent's lot of the same number is not counted
    for number in (1, 2):
        assert clusters(await logged(desk, a_reaction_to(number, "L-9"))) == []
    third = await logged(desk, a_reaction_to(3, "L-9"))
    [opened] = clusters(third)
    assert check(opened) == []
    assert "L-9" in opened["description"] and "3/20" in opened["description"]
    [lot] = opened["contained"]
    assert (opened["focus"], lot["batch"]) == ({"reference": "#lot"}, {"lotNumber": "L-9"})
    [added] = clusters(await logged(desk, a_reaction_to(4, "L-9")))
    assert added["id"] == opened["id"], "one nonconformity of a lot"
    assert list(third.keys) == ["cluster:V08AB02 L-9:0"]
    desk.hold(a_lot("L-9"))  # entered afterwards: what is open goes on
    [again] = clusters(await logged(desk, a_reaction_to(5, "L-9")))
    assert again["id"] == opened["id"]

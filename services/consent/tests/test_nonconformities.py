"""What went wrong with contrast is closed with its cause, the action and the effect, verified by another (4.9-4.12)."""

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring.quality import life
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.handlers.tasks import task_written
from slipring_consent.resources import as_nonconformity

from tests.support.contrast import a_person, a_role, an_injection
from tests.support.desk import A_NOON, ADesk
from tests.support.giving import a_reaction_to, a_ward

OWNER = {"owner": {"reference": "Practitioner/o-owner"}, "restriction": {"period": {"end": "2026-04-01"}}}


async def a_cluster() -> tuple[ADesk, str]:
    """A ward with a lot that stands out, and the nonconformity of it."""
    desk = a_ward(20)
    for number in (1, 2, 3):
        event = a_reaction_to(number)
        desk.carry_out(await reaction_logged(Write("create", event), desk), event)
    [task] = await desk.search("Task?code=nonconformity")
    return desk, task.reference


async def without_permission() -> tuple[ADesk, str]:
    """Contrast that was given though no permission stood."""
    desk = a_ward(1)
    task = as_nonconformity("c-task", an_injection(), "ServiceRequest/o-exam", now=A_NOON)
    desk.hold(task)
    return desk, "Task/c-task"


def with_people(desk: ADesk) -> None:
    for who, *roles in (("o-owner", "nursing-lead"), ("o-head", "ct-head"), ("o-nurse-2",)):
        desk.hold(a_person(who, "senior-nurse"), source="order")
        for role in roles:
            desk.hold(a_role(who, role), source="order")


def said(code: str, **value: Any) -> Resource:
    return {"type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-output", "code": code}]}, **value}


async def put(desk: ADesk, reference: str, **changed: Any) -> Resource:
    """The Task as it is kept after a plain PUT; lists given are added to those that stand."""
    standing = desk.held[reference]
    task = dict(standing.resource)
    for name, value in changed.items():
        task[name] = [*task.get(name, []), *value] if isinstance(value, list) else value
    kept = desk.carry_out(await task_written(Write("update", task, standing), desk), task)
    assert kept is not None
    return kept


def to(state: str) -> Resource:
    return {"coding": [{"system": life.STATE_SYSTEM, "code": state}]}


async def refused(desk: ADesk, reference: str, **changed: Any) -> tuple[int, list[tuple[str, str]]]:
    with pytest.raises(FhirError) as error:
        await put(desk, reference, **changed)
    return error.value.status, [(issue.at, issue.detail) for issue in error.value.issues]


@pytest.mark.clause("4.9", "4.10", "4.11", "4.12")
@pytest.mark.parametrize("opened", [a_cluster, without_permission])
async def test_it_is_closed_with_cause_action_and_effect_verified_by_another(opened: Any) -> None:
    desk, task = await opened()
    with_people(desk)
    assert (await put(desk, task, status="completed"))["status"] == "requested"
    assert (await refused(desk, task, businessStatus=to("closed")))[0] == 409
    lacks = "quality.step-incomplete"
    cause = "Task.input.where(type.coding.code='cause')"
    assert await refused(desk, task, businessStatus=to("analysed")) == (422, [(cause, lacks)])
    await put(desk, task, businessStatus=to("analysed"), input=[said("cause", valueString="运输时受冻")])
    await put(desk, task, businessStatus=to("planned"), input=[said("action", valueString="换批号")], **OWNER)
    await put(desk, task, businessStatus=to("carried-out"), output=[said("carried-out", valueString="已换")])
    effect = said("effect", valueString="两周内再无反应")
    for who, detail in (("o-owner", "quality.verified-by-another"), ("o-nurse-2", "staff.role")):
        verified = said("verifier", valueReference={"reference": f"Practitioner/{who}"})
        status, issues = await refused(desk, task, businessStatus=to("closed"), output=[effect, verified])
        assert (status, issues[0][1]) == (422, detail)
    verified = said("verifier", valueReference={"reference": "Practitioner/o-head"})
    closed = await put(desk, task, businessStatus=to("closed"), output=[effect, verified])
    assert (closed["status"], life.state_of(closed)) == ("completed", "closed")


@pytest.mark.clause("4.13")
async def test_by_what_a_lot_stands_out_nobody_alters_and_left_out_it_comes_back() -> None:
    desk, task = await a_cluster()
    stands = desk.held[task].resource
    fixed = (422, [("Task.input", "quality.member-fixed")])
    more = {**stands["input"][0], "valueInteger": 99}
    assert await refused(desk, task, input=[more]) == fixed
    standing = desk.held[task]
    fewer = {**stands, "input": stands["input"][1:]}
    with pytest.raises(FhirError):
        await task_written(Write("update", fewer, standing), desk)
    other = {**stands, "identifier": [{**stands["identifier"][0], "value": "L-2"}]}
    with pytest.raises(FhirError) as error:
        await task_written(Write("update", other, standing), desk)
    assert error.value.issues[0].at == "Task.identifier"
    bare = {name: value for name, value in stands.items() if name not in ("input", "identifier")}
    kept = desk.carry_out(await task_written(Write("update", bare, standing), desk), bare)
    assert kept is not None and (kept["input"], kept["identifier"]) == (stands["input"], stands["identifier"])


@pytest.mark.clause("4.13")
async def test_who_was_told_of_a_lot_has_nothing_to_look_at_once_it_is_closed() -> None:
    desk = a_ward(20)
    with_people(desk)
    for number in (1, 2, 3):
        event = a_reaction_to(number)
        desk.carry_out(await reaction_logged(Write("create", event), desk), event)
    [task] = await desk.search("Task?code=nonconformity")

    async def told() -> list[str]:
        found = await desk.search(f"Task?code=notice&focus={task.reference}")
        return [str(one.resource["status"]) for one in found]

    assert await told() == ["requested", "requested"], "the head and the lead of the nurses"
    await put(desk, task.reference, businessStatus=to("analysed"), input=[said("cause", valueString="批号外观正常")])
    assert await told() == ["requested", "requested"]
    await put(desk, task.reference, businessStatus=to("dismissed"), statusReason={"text": "偶然"})
    assert await told() == ["completed", "completed"]


async def test_no_other_task_becomes_one_and_one_becomes_no_other() -> None:
    desk, task = await without_permission()
    notice = {"coding": [{"system": life.TASK_CODE_SYSTEM, "code": "notice"}]}
    fixed = (422, [("Task.code", "quality.member-fixed")])
    assert await refused(desk, task, code=notice) == fixed
    desk.hold({"resourceType": "Task", "id": "c-other", "status": "requested", "intent": "order", "code": notice})
    assert await refused(desk, "Task/c-other", code=desk.held[task].resource["code"]) == fixed


async def test_one_that_somebody_opens_says_what_is_wrong() -> None:
    desk = a_ward(1)
    made = {
        "resourceType": "Task", "id": "c-new", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": life.TASK_CODE_SYSTEM, "code": "nonconformity"}]},
    }  # fmt: skip
    with pytest.raises(FhirError) as error:
        await task_written(Write("create", made), desk)
    assert error.value.issues[0].at == "Task.description"

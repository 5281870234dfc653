"""Nonconformities and complaints move along their table, each step with what it needs (4.8, 4.9-4.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource
from slipring.quality import life as quality
from slipring_order.handlers.tasks import guarded
from slipring_order.nonconformity import nonconformity
from slipring_order.resources import TASK_CODE_SYSTEM

from tests.support.desk import A_NOON, ADesk
from tests.support.staffing import a_house, a_member, written

STATE = f"{CANONICAL}/CodeSystem/quality-state"


def a_house_with_people() -> ADesk:
    return a_house(
        *a_member("o-owner", "technologist", roles=("technologist", "quality-manager")),
        *a_member("o-chief", "associate-chief-physician", roles=("quality-manager",)),
        *a_member("o-junior", "technologist", roles=("technologist",)),
    )


def a_record(kind: str, **members: Any) -> Resource:
    return {
        "resourceType": "Task", "id": "o-task", "status": "requested", "intent": "order", "description": "报告延迟",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": kind}]}, **members,
    }  # fmt: skip


def said(code: str, value: str) -> Resource:
    member = "valueReference" if value.startswith("Practitioner/") else "valueString"
    told: Any = {"reference": value} if member == "valueReference" else value
    return {"type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-input", "code": code}]}, member: told}


async def moved(
    desk: ADesk, state: str, *, inputs: Sequence[Resource] = (), outputs: Sequence[Resource] = (), **members: Any
) -> Resource:
    stored = await desk.read("Task/o-task")
    assert stored is not None
    task = {**stored.resource, **members, "businessStatus": {"coding": [{"system": STATE, "code": state}]}}
    task |= {"input": [*task.get("input", []), *inputs]} if inputs else {}
    task |= {"output": [*task.get("output", []), *outputs]} if outputs else {}
    return await written(desk, task, guarded)


async def refused(desk: ADesk, state: str, **members: Any) -> FhirError:
    with pytest.raises(FhirError) as error:
        await moved(desk, state, **members)
    return error.value


@pytest.mark.clause("4.9", "4.10", "4.11", "4.12")
async def test_a_nonconformity_is_understood_planned_carried_out_and_verified_by_another() -> None:
    desk = a_house_with_people()
    task = await written(desk, a_record("nonconformity"), guarded)
    assert (quality.state_of(task), task["authoredOn"][:10]) == ("opened", "2026-03-02")
    assert [i.at for i in (await refused(desk, "analysed")).issues] == ["Task.input.where(type.coding.code='cause')"]
    await moved(desk, "analysed", inputs=(said("cause", "夜班人手不足"),))
    missing = await refused(desk, "planned", inputs=(said("action", "增加一人"),))
    assert [issue.at for issue in missing.issues] == ["Task.owner", "Task.restriction.period.end"]
    plan = {"owner": {"reference": "Practitioner/o-owner"}, "restriction": {"period": {"end": "2026-04-01"}}}
    await moved(desk, "planned", inputs=(said("action", "增加一人"),), **plan)
    await moved(desk, "carried-out", outputs=(said("carried-out", "已增加"),))
    effect = said("effect", "一个月内无延迟")
    for who, detail in (
        ("Practitioner/o-owner", "quality.verified-by-another"),
        ("Practitioner/o-junior", "staff.role"),
        ("Practitioner/o-nobody", "staff.unknown-person"),
    ):
        error = await refused(desk, "closed", outputs=(effect, said("verifier", who)))
        assert (error.status, error.issues[0].detail) == (422, detail)
    for owner in ({"reference": "Practitioner/o-chief"}, None):  # who acted stays who acted
        error = await refused(desk, "closed", outputs=(effect, said("verifier", "Practitioner/o-owner")), owner=owner)
        assert (error.status, error.issues[0].at) == (422, "Task.owner")
    error = await refused(desk, "closed", outputs=(effect, said("verifier", "somebody")))
    assert (error.status, error.issues[0].detail) == (422, "staff.unknown-person")
    again = await moved(
        desk, "analysed", outputs=(said("effect", "仍有延迟"), said("verifier", "Practitioner/o-chief"))
    )
    assert again["status"] == "received"
    await moved(desk, "planned", inputs=(said("action", "改排班"),))
    await moved(desk, "carried-out")
    closed = await moved(desk, "closed")
    assert closed["status"] == "completed"
    assert (await refused(desk, "opened")).status == 409


@pytest.mark.clause("4.9")
async def test_an_illegal_step_names_the_legal_ones_and_what_a_rule_opened_moves_too() -> None:
    desk = a_house_with_people()
    made = nonconformity(
        id="o-task", zh="灯不亮。", en="The light is out.", clause="CL02-A011:5.2.2", about="Location/o-r", now=A_NOON
    )
    desk.hold(made)
    error = await refused(desk, "closed")
    assert (error.status, error.issues[0].at) == (409, "Task.businessStatus") and "analysed, dismissed" in error.issues[
        0
    ].en
    assert [issue.at for issue in (await refused(desk, "dismissed")).issues] == ["Task.statusReason"]
    dismissed = await moved(desk, "dismissed", statusReason={"text": "误报"})
    assert dismissed["status"] == "rejected"


@pytest.mark.clause("4.8")
async def test_a_complaint_is_taken_up_by_an_owner_answered_and_closed() -> None:
    desk = a_house_with_people()
    complaint = await written(desk, a_record("complaint"), guarded)
    assert complaint["status"] == "requested"
    assert [issue.at for issue in (await refused(desk, "taken")).issues] == ["Task.owner"]
    await moved(desk, "taken", owner={"reference": "Practitioner/o-chief"})
    assert [i.at for i in (await refused(desk, "answered")).issues] == ["Task.output.where(type.coding.code='outcome')"]
    await moved(desk, "answered", outputs=(said("outcome", "已向患者说明"),))
    assert (await moved(desk, "closed"))["status"] == "completed"


async def test_a_record_says_what_it_is_about_begins_opened_and_keeps_its_words() -> None:
    desk = a_house_with_people()
    for changed, at in (
        ({"description": " "}, "Task.description"),
        ({"businessStatus": {"coding": [{"system": STATE, "code": "closed"}]}}, "Task.businessStatus"),
    ):
        with pytest.raises(FhirError) as error:
            await written(desk, a_record("complaint") | changed, guarded)
        assert error.value.issues[0].at == at
    task = await written(desk, a_record("complaint"), guarded)
    for changed in ({"description": "别的"}, {"code": a_record("nonconformity")["code"]}):
        with pytest.raises(FhirError) as error:
            await written(desk, task | changed, guarded)
        assert error.value.issues[0].detail == "quality.member-fixed"


def test_the_table_leads_from_opened_to_an_end_and_names_only_known_states() -> None:
    for kind in quality.KINDS:
        table = quality.table(kind)
        reached = {"opened"}
        for _ in table:
            reached |= {line.next for line in table if line.state in reached}
        assert {line.state for line in table} | {line.next for line in table} == reached <= set(quality.names())
        assert "closed" in reached and not [line for line in table if line.state in ("closed", "dismissed")]

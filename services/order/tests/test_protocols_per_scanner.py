"""A protocol per exam and scanner: the scanner's own before that of its model, and that before the group's."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring_order.catalogue import own_codes
from slipring_order.handlers.definitions import plan_defined
from slipring_order.offer.choosing import protocol_on
from slipring_order.offer.mapping import EXAM_SYSTEM
from slipring_order.offer.protocol_choice import SCANNER, SCANNER_MODEL, protocol_for
from slipring_order.offer.protocols import protocols
from slipring_order.offer.words import usage

from tests.support.ordering import a_desk, a_patient, a_request

CHEST = own_codes()["ct-chest-contrast"]
SHIPPED = {one["id"]: one for one in protocols()}
SCANNER_A: Resource = {
    "resourceType": "Device", "id": "o-ct-a", "status": "active", "type": {"coding": [{"code": "CT"}]},
    "identifier": [{"system": "urn:asset", "value": "7"}],
    "deviceName": [{"name": "Force", "type": "model-name"}, {"name": "CT 1", "type": "user-friendly-name"}],
}  # fmt: skip
SCANNER_B = {**SCANNER_A, "id": "o-ct-b", "identifier": [], "modelNumber": "Force-2"}
OTHER = {**SCANNER_A, "id": "o-ct-c", "identifier": [], "deviceName": [{"name": "Go", "type": "model-name"}]}


def a_protocol(name: str, *scanners: tuple[str, str], age: str = "adult", **members: Any) -> Resource:
    plan = deepcopy(SHIPPED[f"o-protocol-chest-with-{age}"]) | {"id": name, "status": "active"} | members
    named = [{"system": system, "code": code} for system, code in scanners]
    plan["useContext"] += [usage("scanner", {"coding": named})] if named else []
    return plan


GROUP = a_protocol("o-group")
MODEL = a_protocol("o-model", (SCANNER_MODEL, "Force"))
OWN = a_protocol("o-own", (SCANNER, "o-ct-a"))
EVERY = [GROUP, MODEL, OWN]


def chosen(scanner: Resource, plans: list[Resource], age: int | None = 50) -> str:
    found = protocol_for(CHEST, scanner, plans, age_years=age)
    return str(found["id"]) if found else ""


@pytest.mark.clause("5.5.3")
@given(st.permutations(EVERY))
def test_the_scanner_s_own_protocol_counts_before_its_model_s_and_that_before_the_group_s(
    plans: list[Resource],
) -> None:
    assert chosen(SCANNER_A, plans) == "o-own"
    assert chosen({**SCANNER_A, "id": "o-ct-b"}, plans) == "o-model"
    assert chosen(OTHER, plans) == "o-group"
    assert chosen(OTHER, [MODEL, OWN]) == ""


def test_a_scanner_is_known_by_an_identifier_or_a_model_number_as_well() -> None:
    assert chosen(SCANNER_A, [GROUP, a_protocol("o-asset", ("urn:asset", "7"))]) == "o-asset"
    assert chosen(SCANNER_B, [GROUP, a_protocol("o-two", (SCANNER_MODEL, "Force-2"))]) == "o-two"


@pytest.mark.parametrize(
    ("age", "picked"), [(15, "o-group"), (14, "o-child"), (0, "o-child"), (None, ""), (110, "o-group")]
)
def test_children_have_their_own_protocol_and_an_unknown_age_is_not_guessed(age: int | None, picked: str) -> None:
    assert chosen(OTHER, [GROUP, a_protocol("o-child", age="child")], age) == picked


def test_a_protocol_for_the_very_exam_counts_before_its_group_s_and_drafts_count_for_nothing() -> None:
    [_, *others] = GROUP["useContext"]
    this_exam = usage("exam", {"coding": [{"system": EXAM_SYSTEM, "code": CHEST.code}]})
    exact = GROUP | {"id": "o-exact", "useContext": [this_exam, *others]}
    assert chosen(OTHER, [exact, GROUP]) == "o-exact"
    assert chosen(OTHER, [exact | {"status": "draft"}, GROUP]) == "o-group"
    assert chosen(OTHER, [GROUP, GROUP | {"id": "o-newer", "date": "2027-01-01"}]) == "o-newer"
    assert chosen(OTHER, [SHIPPED["o-protocol-head-both-adult"] | {"status": "active"}]) == ""


async def test_the_shell_finds_the_protocol_of_a_request_by_its_exam_and_its_patient_s_age() -> None:
    request = a_request(code={"coding": [{"system": "http://loinc.org", "code": CHEST.loinc}]})
    desk = a_desk(SCANNER_A, GROUP, OWN)
    assert await protocol_on(request, SCANNER_A, desk) == {"reference": "PlanDefinition/o-own", "display": OWN["title"]}
    desk.hold(a_patient(birthDate="2020"))
    assert await protocol_on(request, SCANNER_A, desk) is None
    assert await protocol_on(a_request(code={"text": "胸部"}), SCANNER_A, desk) is None


@pytest.mark.parametrize("named", [{"text": "the big one"}, {"coding": [{"system": SCANNER, "code": "o-none"}]}])
async def test_a_protocol_for_a_scanner_that_nobody_has_is_refused_at_its_context(named: Resource) -> None:
    plan = a_protocol("o-new", status="draft")
    plan["useContext"].append(usage("scanner", named))
    with pytest.raises(FhirError) as refused:
        await plan_defined(Write("create", plan), a_desk(SCANNER_A))
    issue = refused.value.issues[0]
    assert (issue.detail, issue.at) == (
        "order.protocol-scanner",
        "PlanDefinition.useContext[3].valueCodeableConcept",
    )


GONE = a_protocol("o-gone", (SCANNER, "o-none"))
ANEW = [*GONE["useContext"], usage("scanner", {"coding": [{"system": SCANNER, "code": "o-neither"}]})]


async def rewritten(stood: str, **members: Any) -> None:
    desk = a_desk(SCANNER_A, GONE | {"status": stood})
    before = await desk.read("PlanDefinition/o-gone")
    await plan_defined(Write("update", GONE | {"status": stood} | members, before), desk)


@pytest.mark.clause("5.5.3")
async def test_the_protocol_of_a_scanner_that_has_gone_is_retired_as_it_is() -> None:
    for stood in ("draft", "active"):
        await rewritten(stood, status="retired")
    await rewritten("draft", title="停用的 CT")


@pytest.mark.parametrize("said", [{"useContext": ANEW}, {"status": "active"}])
async def test_for_a_scanner_that_has_gone_no_protocol_is_drafted_anew_or_approved(said: Resource) -> None:
    with pytest.raises(FhirError) as refused:
        await rewritten("draft", **said)
    assert refused.value.issues[0].detail == "order.protocol-scanner"


async def test_a_plan_for_exams_without_a_protocol_number_needs_its_second_person_too() -> None:
    plan = {name: value for name, value in a_protocol("o-new").items() if name != "identifier"}
    with pytest.raises(FhirError) as refused:
        await plan_defined(Write("create", plan), a_desk(SCANNER_A))
    assert refused.value.issues[0].detail == "order.protocol-draft-first"
    assert f"{CANONICAL}/sid/protocol" not in str(plan)

"""What the department makes of the catalogue: its own exams, its approvals, its scope."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource, Stored, Write
from slipring_order.catalogue import SYSTEMS, own_codes
from slipring_order.handlers.definitions import exam_defined, protocol_written, scope_covered
from slipring_order.offer.activity import activity_definition
from slipring_order.offer.coverage import coverage
from slipring_order.offer.shipped import shipped

from tests.support.desk import ADesk
from tests.support.ordering import CONFIRMED, NOW, a_desk, a_person, a_request, findings, received

RELEASE = shipped()
CHEST = next(one for one in RELEASE if one["id"] == "o-exam-ct-chest-contrast")
PROTOCOL = next(one for one in RELEASE if one["id"] == "o-protocol-chest-with-adult")
AT = datetime(2026, 11, 26, tzinfo=UTC)


# --- what the department writes ---------------------------------------------------------------------------------------------------


def own_exam(**members: Any) -> Resource:
    written = deepcopy(CHEST) | {
        "id": "o-own",
        "identifier": [{"system": f"{CANONICAL}/sid/exam-code", "value": "ct-own"}],
    }
    return written | members


@pytest.mark.parametrize(
    ("changes", "code", "at"),
    [
        ({"topic": []}, "order.exam-system", "ActivityDefinition.topic"),
        ({"useContext": []}, "order.exam-contrast", "ActivityDefinition.useContext"),
        (
            {"code": {"coding": [{"code": "x"}, {"system": "http://loinc.org", "code": "24628-1"}]}},
            "order.exam-code-digit",
            "ActivityDefinition.code.coding[1].code",
        ),
        (
            {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "303653008"}]}},
            "order.exam-code-digit",
            "ActivityDefinition.code.coding[0].code",
        ),
    ],
)
async def test_an_exam_of_the_wrong_shape_is_refused_at_its_element(changes: Any, code: str, at: str) -> None:
    with pytest.raises(FhirError) as refused:
        await exam_defined(Write("create", own_exam(**changes)), ADesk())
    assert [(issue.detail, issue.at) for issue in refused.value.issues] == [(code, at)]


async def test_an_exam_of_the_department_s_own_can_be_ordered_by_its_code() -> None:
    own = {"code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/exam", "code": "ct-own"}]}}
    desk = a_desk(own_exam())
    await received(desk, a_request(**own))
    assert "order.exam-offered" not in findings(desk)
    without = a_desk()
    await received(without, a_request(**own))
    assert "order.exam-offered" in findings(without)


async def test_a_withdrawn_exam_and_an_unknown_code_are_told_and_wait_for_the_requester() -> None:
    for code, held in [("24628-0", [CHEST | {"status": "retired"}]), ("24629-8", [])]:
        desk = a_desk(*held)
        exam = await received(desk, a_request(code={"coding": [{"system": "http://loinc.org", "code": code}]}))
        assert "order.exam-offered" in findings(desk)
        assert exam["businessStatus"]["coding"][0]["code"] == "awaiting-information"


async def test_what_the_department_says_of_contrast_counts_before_what_was_shipped() -> None:
    plain = deepcopy(CHEST)
    plain["useContext"][1]["valueCodeableConcept"]["coding"][0]["code"] = "none"
    request = a_request(code={"coding": [{"system": "http://loinc.org", "code": "24628-0"}]})
    shown = []
    for definition in (CHEST, plain):
        desk = a_desk(definition)
        exam = await received(desk, request)
        shown += [e["valueCode"] for e in exam.get("extension", []) if e["url"].endswith("contrast-condition")]
    assert shown == ["open", "not-needed"]


def person(name: str) -> Caller:
    return Caller("his", frozenset({"user/*.cruds"}), practitioner=f"Practitioner/{name}")


@pytest.mark.clause("5.5.3")
async def test_a_protocol_is_made_active_by_a_second_qualified_person_as_it_was_drafted() -> None:
    people = [*a_person("o-lead", "associate-chief-technologist"), *a_person("o-tech", "technologist")]
    desk = ADesk(NOW, people, caller=person("o-tech"), settings=CONFIRMED)
    drafted = {**PROTOCOL, **(await protocol_written(Write("create", PROTOCOL), desk)).members}
    before = Stored(drafted, 1, NOW)
    active = drafted | {"status": "active"}

    async def refused(resource: Resource, standing: Stored | None) -> str:
        with pytest.raises(FhirError) as error:
            await protocol_written(Write("update" if standing else "create", resource, standing), desk)
        return error.value.issues[0].detail

    assert await refused(active, None) == "order.protocol-draft-first"
    assert await refused(active, before) == "order.protocol-second-person"
    desk.caller = Caller("his", frozenset({"system/*.cruds"}))
    assert await refused(active, before) == "order.protocol-approver"
    desk.caller = person("o-lead")
    assert await refused(active | {"action": []}, before) == "order.protocol-changed-on-approval"
    reworded = active | {"extension": [*active["extension"], {"url": "urn:x", "valueString": "other words"}]}
    assert await refused(reworded, before) == "order.protocol-changed-on-approval"
    assert await refused(reworded, Stored(active, 2, NOW)) == "order.protocol-changed-on-approval"
    saved_again = await protocol_written(Write("update", drafted, before), desk)  # unchanged: it stays its drafter's
    assert _drafter(saved_again.members) == "Practitioner/o-tech"
    changes = await protocol_written(Write("update", active, before), desk)
    assert {
        "url": f"{CANONICAL}/StructureDefinition/drafted-by",
        "valueString": "Practitioner/o-tech",
    } in changes.members["extension"]


def _drafter(members: Resource) -> str:
    return next(e["valueString"] for e in members["extension"] if e["url"].endswith("drafted-by"))


# --- the scope --------------------------------------------------------------------------------------------------------------------


def a_scanner(name: str, *systems: str) -> Resource:
    scope = {
        "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/scanner-property", "code": "scope"}]},
        "valueCode": [
            {"coding": [{"system": f"{CANONICAL}/CodeSystem/body-system", "code": code}]} for code in systems
        ],
    }
    return {
        "resourceType": "Device", "id": name, "status": "active", "type": {"coding": [{"code": "CT"}]}, "property": [scope],
    }  # fmt: skip


@pytest.mark.clause("B", "1")
async def test_the_scope_names_systems_without_exams_and_scanners_outside_it() -> None:
    definitions = [activity_definition(own_codes()[code]) for code in ("ct-head", "ct-chest", "ct-knee")]
    desk = ADesk(NOW, [*definitions, a_scanner("o-1", "B1", "B2", "B4"), a_scanner("o-2", "B1")], settings=CONFIRMED)
    answer = (await scope_covered(Call({"resourceType": "Parameters"}), desk)).answer
    assert answer is not None
    assert [p["valueCode"] for p in answer["parameter"] if p["name"] == "missing"] == ["B2", "B3", "B4", "B5", "B6"]
    chest = answer["parameter"][1]["part"]
    assert [p["valueReference"]["reference"] for p in chest if p["name"] == "scannerMissing"] == ["Device/o-2"]
    assert check(answer) == []


@given(
    st.lists(st.sampled_from(sorted(own_codes())), unique=True),
    st.lists(st.lists(st.sampled_from(SYSTEMS), unique=True), max_size=3),
)
def test_a_system_is_covered_when_it_is_offered_and_no_scanner_is_left_out(
    codes: list[str], scopes: list[list[str]]
) -> None:
    definitions = [activity_definition(own_codes()[code]) for code in codes]
    scanners = [a_scanner(f"o-{number}", *scope) for number, scope in enumerate(scopes)]
    for one in coverage(definitions, scanners):
        offered = any(one.system in own_codes()[code].systems for code in codes)
        assert one.whole == (offered and bool(scopes) and all(one.system in scope for scope in scopes))
        assert len(one.scanners_in_scope) + len(one.scanners_missing) == len(scanners)

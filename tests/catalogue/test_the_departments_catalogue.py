"""The catalogue in a running department: brought at start, searched by plain FHIR, edited, kept over restart and upgrade."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.inside import LiveInside
from slipring.identity.people.roles import the_roles
from slipring_order.catalogue import own_codes
from slipring_order.offer.activity import PREPARATION
from slipring_order.offer.protocols import protocols
from slipring_order.offer.stock import bring

from tests.support.department import Department, open_department

SYSTEM = "https://slipring.example/fhir/CodeSystem"
EXAMS = len(own_codes())


@pytest.fixture(scope="module")
async def offering(data_dir: Path) -> AsyncIterator[Department]:
    """A department that the shipped catalogue has been brought to."""
    async with open_department(data_dir, prefix="catalogue_", shipped_exams=True) as opened:
        for _ in range(600):
            found = await opened.get(
                "PlanDefinition?identifier=https://slipring.example/fhir/sid/protocol|tissue-ct-numbers"
            )
            if found.get("total"):
                break
            await asyncio.sleep(0.1)
        yield opened


async def total(department: Department, query: str) -> int:
    joined = "&" if "?" in query else "?"
    return int((await department.get(f"{query}{joined}_summary=count"))["total"])


async def brought_again(department: Department) -> int:
    """What another start writes."""
    return await bring(LiveInside(department.house.services["order"].kernel, department.data_dir))


@pytest.mark.clause("5.4.4.2", "5.5.3")
async def test_the_shipped_catalogue_is_brought_once(offering: Department) -> None:
    assert await total(offering, "ActivityDefinition?status=active") == EXAMS
    assert await total(offering, "PlanDefinition?status=draft") == len(list(protocols()))
    assert await brought_again(offering) == 0


@pytest.mark.clause("5.4.4.1", "5.4.4.2")
@pytest.mark.parametrize(("query", "least"), [
    (f"topic={SYSTEM}/body-system|B2", 10), (f"topic={SYSTEM}/exam-kind|guided-biopsy", 8),
    (f"context={SYSTEM}/exam-contrast|both", 15), ("context=http://snomed.info/sct|10200004", 5),
    ("context=LIVER", 5), (f"context-type-value={SYSTEM}/usage|contrast${SYSTEM}/exam-contrast|with", 30),
    (f"topic={SYSTEM}/body-system|B4&context=LIVER&context={SYSTEM}/exam-contrast|both", 1),
    ("title=胸部", 5), ("identifier=ct-chest-contrast", 1), ("topic=B1,B6", 30),
])  # fmt: skip
async def test_exams_are_found_by_system_part_and_contrast(offering: Department, query: str, least: int) -> None:
    reader = offering.client("demo-his", "system/ActivityDefinition.rs")
    answer = await reader.get("/fhir/ActivityDefinition", params=[*dict_of(query), ("_total", "accurate")])
    found = [entry["resource"] for entry in answer.json().get("entry", [])]
    assert answer.json()["total"] >= least and found
    for definition in found:
        texts = [e for e in definition["extension"] if e["url"] == PREPARATION]
        assert len(texts) == 10 and definition["status"] == "active"
    await reader.aclose()


@pytest.mark.clause("5.4.4.1")
@pytest.mark.parametrize(
    "role", ["requester", "ward-nurse", "receptionist", "technologist", "ct-nurse", "radiologist-c"]
)
def test_every_clinical_role_reads_the_catalogue(role: str) -> None:
    assert "user/ActivityDefinition.rs" in the_roles().roles[role].scopes


def dict_of(query: str) -> list[tuple[str, str]]:
    return [(pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&")]


@pytest.mark.clause("5.5.3")
async def test_the_protocols_of_an_exam_are_found_by_its_group_contrast_and_age(offering: Department) -> None:
    [exam] = await offering.found("ActivityDefinition?identifier=ct-chest-contrast")
    [group] = [u["valueCodeableConcept"]["coding"][0] for u in exam["useContext"] if u["code"]["code"] == "exam"]
    query = f"context={group['system']}|{group['code']}&context={SYSTEM}/exam-contrast|with&context={SYSTEM}/age-group|child"
    assert [one["id"] for one in await offering.found(f"PlanDefinition?{query}")] == ["o-protocol-chest-with-child"]


async def test_what_the_department_changed_or_deleted_stays_so_over_a_start_and_an_upgrade(
    offering: Department,
) -> None:
    [exam] = await offering.found("ActivityDefinition?identifier=ct-sternum")
    exam["title"] = "胸骨薄层 CT"
    assert (await offering.put(exam)).status_code == 200
    [other] = await offering.found("ActivityDefinition?identifier=ct-clavicle")
    assert (await offering.his.delete(f"/fhir/ActivityDefinition/{other['id']}")).status_code in (200, 204)
    assert await brought_again(offering) == 0
    [kept] = await offering.found("ActivityDefinition?identifier=ct-sternum")
    assert kept["title"] == "胸骨薄层 CT" and kept["meta"]["versionId"] == "2"
    assert await total(offering, "ActivityDefinition?identifier=ct-clavicle") == 0
    history = await offering.get(f"ActivityDefinition/{exam['id']}/_history")
    assert [entry["resource"]["title"] for entry in history["entry"]] == ["胸骨薄层 CT", "胸骨 CT"]


async def test_an_exam_with_a_wrong_check_digit_is_refused_at_its_element(offering: Department) -> None:
    [exam] = await offering.found("ActivityDefinition?identifier=ct-knee")
    exam["code"]["coding"][1]["code"] = "36037-1"
    answer = await offering.put(exam)
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["expression"]) == (422, ["ActivityDefinition.code.coding[1].code"])
    assert issue["details"]["coding"][0]["code"] == "order.exam-code-digit"


@pytest.mark.clause("B", "1")
async def test_the_scope_coverage_names_what_is_missing(offering: Department) -> None:
    def scope(*systems: str) -> list[dict[str, Any]]:
        kind = {"coding": [{"system": f"{SYSTEM}/scanner-property", "code": "scope"}]}
        values = [{"coding": [{"system": f"{SYSTEM}/body-system", "code": code}]} for code in systems]
        return [{"type": kind, "valueCode": values}]

    scanner = {"resourceType": "Device", "status": "active", "type": {"coding": [{"code": "CT"}]}}
    made = [
        (await offering.post("Device", {**scanner, "property": scope(*systems)})).json()["id"]
        for systems in (["B1", "B2", "B3", "B4", "B5", "B6"], ["B1", "B2"])
    ]
    answer = await offering.post("ActivityDefinition/$scope-coverage", {"resourceType": "Parameters"})
    assert answer.status_code == 200, answer.text
    parameters = answer.json()["parameter"]
    assert [one["valueCode"] for one in parameters if one["name"] == "missing"] == ["B3", "B4", "B5", "B6"]
    abdomen = {part["name"]: part for part in parameters[3]["part"]}
    assert abdomen["scannerMissing"]["valueReference"]["reference"].endswith(made[1])
    assert abdomen["exams"]["valueInteger"] >= 20

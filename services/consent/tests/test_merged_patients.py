"""After a merge the gate counts what is known of both records, and waits for a named person's word."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL, Changes, Resource, Write
from slipring_consent.handlers.injection import contrast_written

from tests.support.contrast import EXAM, PATIENT, a_cleared_department, an_injection, an_override
from tests.support.desk import ADesk

OTHER = "Patient/o-other"


def the_patients(kind: str = "replaced-by") -> list[Resource]:
    link = [{"type": kind, "other": PATIENT}]
    return [{"resourceType": "Patient", "id": "o-pat"}, {"resourceType": "Patient", "id": "o-other", "link": link}]


def an_allergy() -> Resource:
    iohexol = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}
    return {
        "resourceType": "AllergyIntolerance", "id": "o-allergy", "patient": {"reference": OTHER}, "code": iohexol,
        "clinicalStatus": {"coding": [{"code": "active"}]}, "reaction": [{"severity": "severe", "manifestation": []}],
    }  # fmt: skip


def a_question(status: str = "requested") -> Resource:
    code = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "identity-confirmation"}]}
    task = {"resourceType": "Task", "id": "o-who", "status": status, "intent": "order", "code": code}
    return task | {"basedOn": [{"reference": EXAM}]}


async def ask(desk: ADesk, **members: Any) -> set[str]:
    changes: Changes = await contrast_written(Write("create", an_injection(**members)), desk)
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


def a_gate(*held: Resource) -> ADesk:
    desk = a_cleared_department()
    for resource in held:
        desk.hold(resource, source="order")
    return desk


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(("kind", "counts"), [("replaced-by", True), ("replaces", True), ("seealso", False)])
async def test_the_allergy_of_a_merged_record_counts(kind: str, counts: bool) -> None:
    found = await ask(a_gate(*the_patients(kind), an_allergy()))
    assert ("consent.no-high-finding" in found) == counts


async def test_contrast_waits_while_nobody_has_confirmed_who_the_patient_is() -> None:
    assert await ask(a_gate(a_question())) == {"consent.identity-confirmed"}
    assert await ask(a_gate(a_question("rejected"))) == {"consent.identity-confirmed"}
    assert await ask(a_gate(a_question("completed"))) == set()


async def test_in_an_emergency_a_named_physician_passes_the_wait() -> None:
    assert await ask(a_gate(a_question()), extension=an_override("emergency")) == set()
    assert await ask(a_gate(a_question()), extension=an_override("benefit-outweighs-risk"))


async def test_what_the_patient_signed_under_the_other_record_stands_and_a_strangers_does_not() -> None:
    other = {"subject": {"reference": OTHER}}
    assert await ask(a_gate(*the_patients()), **other) == set()
    assert "consent.gate-exam" in await ask(a_gate(*the_patients("seealso")), **other)

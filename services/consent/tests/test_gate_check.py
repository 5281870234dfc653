"""`$check`: the gate as a dry run, with every reason and who may pass it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Call, Resource
from slipring_consent.gate.told import MAY_OVERRIDE
from slipring_consent.handlers.check import checked_only
from slipring_consent.reading import extensions

from tests.support.contrast import (
    a_cleared_department,
    a_consent,
    a_department,
    a_request,
    a_screening,
    an_egfr,
    an_injection,
    an_override,
)
from tests.support.desk import A_NOON, ADesk


async def check(desk: ADesk, **members: Any) -> dict[str, list[Any]]:
    given = {"name": "administration", "resource": an_injection(**members)}
    changes = await checked_only(Call({"resourceType": "Parameters", "parameter": [given]}), desk)
    assert not (changes.save or changes.wake or changes.keys or changes.refuse), "nothing is stored"
    assert changes.answer is not None
    answer: dict[str, list[Any]] = {}
    for one in changes.answer["parameter"]:
        answer.setdefault(one["name"], []).append(next(value for name, value in one.items() if name != "name"))
    return answer


def who_and_why(issue: Resource) -> tuple[str, set[str]]:
    [extension] = extensions(issue, MAY_OVERRIDE)
    by, *reasons = extension["extension"]
    return by["valueCodeableConcept"]["coding"][0]["code"], {one["valueCoding"]["code"] for one in reasons}


@pytest.mark.clause("5.4.1")
async def test_what_would_be_permitted_is_said_with_the_age_of_the_copies() -> None:
    answer = await check(a_cleared_department())
    assert answer == {"permitted": [True], "asOf": ["2026-03-02T04:00:00Z"]}


@pytest.mark.clause("5.4.1")
async def test_every_reason_is_named_with_its_clause_its_weight_and_who_may_pass_it() -> None:
    answer = await check(a_department(), performer=[])
    assert answer["permitted"] == [False]
    found = {rule_of(issue): issue for issue in answer["issue"]}
    assert set(found) == {
        "consent.consent-valid",
        "consent.screening-current",
        "consent.performer-qualified",
        "consent.observer-named",
    }
    assert who_and_why(found["consent.consent-valid"]) == ("decide-justification", {"emergency-no-capacity"})
    assert extensions(found["consent.performer-qualified"], MAY_OVERRIDE) == [], "nobody may pass it"
    [result] = [one["extension"] for one in found["consent.consent-valid"]["extension"] if "rule-result" in one["url"]]
    assert {part["url"] for part in result} >= {"rule", "version", "clause", "weight", "at"}


async def test_copies_that_are_behind_are_a_reason_that_an_emergency_passes() -> None:
    desk = a_cleared_department(as_of={"order": A_NOON - timedelta(seconds=31)})
    answer = await check(desk)
    assert answer["permitted"] == [False]
    [issue] = answer["issue"]
    assert issue["detail"].startswith("order 的数据滞后 31 秒")
    passed = await check(desk, extension=an_override("emergency"))
    assert passed["permitted"] == [True]
    assert passed["issue"][0]["mitigation"][0]["author"] == {"reference": "Practitioner/o-physician"}


@pytest.mark.clause("5.3.2.5")
async def test_an_override_that_does_not_stand_is_told_with_what_its_person_lacks() -> None:
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y"), a_consent())
    answer = await check(desk, extension=an_override("benefit-outweighs-risk", by="Practitioner/o-nurse"))
    assert answer["permitted"] == [False]
    assert answer["overrideRefused"]
    assert "mitigation" not in answer["issue"][0]


async def test_another_drug_for_a_plain_exam_is_permitted_without_a_word() -> None:
    desk = a_department()
    desk.hold(a_request(code={"coding": [{"system": "http://loinc.org", "code": "24627-2"}]}))
    other = {"coding": [{"system": "http://www.whocc.no/atc", "code": "B05BB01"}]}
    assert await check(desk, medicationCodeableConcept=other) == {"permitted": [True]}


@pytest.mark.clause("5.4.1")
async def test_a_patient_that_the_administration_contains_is_nobody_whose_consent_stands_here() -> None:
    contained = {"contained": [{"resourceType": "Patient", "id": "p"}], "subject": {"reference": "#p"}}
    answer = await check(a_cleared_department(), **contained)
    assert answer["permitted"] == [False]
    assert "consent.consent-valid" in {rule_of(issue) for issue in answer["issue"]}

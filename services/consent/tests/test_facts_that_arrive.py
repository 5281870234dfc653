"""Whatever screening weighs asks it again when it arrives: conditions, medicines and procedures, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Arrival, Resource
from slipring_consent.handlers.changed_facts import fact_arrived
from slipring_consent.reading import instant
from slipring_consent.service import SERVICE

from tests.support.contrast import EXAM, IOHEXOL, PATIENT, a_cleared_department, an_egfr
from tests.support.desk import A_NOON
from tests.support.screening import ATC, ICD10, a_condition, a_creatinine, a_medicine, arrives, coded

SCINTIGRAPHY: Resource = {
    "resourceType": "Procedure", "id": "o-p", "status": "preparation", "subject": PATIENT, "code": {"text": "甲状腺核素显像"},
}  # fmt: skip


@pytest.mark.clause("5.4.4.2")
@pytest.mark.parametrize(
    "fact",
    [
        a_condition(coded(ICD10, "E05.9")),
        a_condition(coded(ICD10, "N17.9")),
        a_medicine("MedicationRequest", "active", coded(ATC, "L03AC01")),
        a_medicine("MedicationStatement", "active", coded(ATC, "L03AC01")),
        SCINTIGRAPHY,
        a_creatinine("900", effectiveDateTime="2026-03-02T08:00:00+08:00"),
    ],
    ids=lambda fact: str(fact["resourceType"]),
)
async def test_a_fact_that_arrives_is_weighed_and_asks_screening_again_once(fact: Resource) -> None:
    follows = [one for one in SERVICE.follows if one.awaits("order", fact)]
    assert len(follows) == 1, "it is waited for"
    desk = a_cleared_department()
    stored = desk.hold(fact, source="order")
    changes = await fact_arrived(Arrival("order", fact, stored.version), desk)
    desk.carry_out(changes)
    found = {rule_of(one.resource) for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"}
    asked = len(await desk.search(f"Task?code=screening&focus={EXAM}&status=requested"))
    assert (asked, bool(found)) == (1, True)
    assert not (await fact_arrived(Arrival("order", fact, stored.version), desk)).save


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
async def test_a_condition_that_is_taken_back_asks_nothing(status: str) -> None:
    desk = a_cleared_department()
    fact = a_condition(coded(ICD10, "E05.9"), verificationStatus={"coding": [{"code": status}]})
    stored = desk.hold(fact, source="order")
    assert (await fact_arrived(Arrival("order", fact, stored.version), desk)).nothing


@pytest.mark.clause("5.4.1")
async def test_what_was_told_of_earlier_contrast_is_not_told_again_because_an_hour_has_passed() -> None:
    desk = a_cleared_department()
    given = instant(A_NOON - timedelta(hours=2))
    await arrives(desk, a_medicine("MedicationStatement", "completed", IOHEXOL, effectiveDateTime=given))
    [issue] = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    assert rule_of(issue) == "consent.repeat-contrast" and "10:00" in issue["detail"], "by the clock of the department"
    desk.now += timedelta(hours=1)
    assert not (await arrives(desk, an_egfr(91, 1))).save

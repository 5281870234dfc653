"""What screening looked at has changed: it is asked again, and whoever is at the injector is told at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Arrival, Changes, Resource, Write
from slipring_consent.gate.weighing import judged
from slipring_consent.handlers.alarms import staff_arrived
from slipring_consent.handlers.consents import consent_written
from slipring_consent.handlers.requests import request_arrived
from slipring_consent.reading import instant
from slipring_consent.resources import EXAM_STATE
from slipring_consent.screening.known import is_our_screening
from slipring_consent.screening.weighed import is_looked_at

from tests.support.contrast import (
    EXAM,
    PATIENT,
    a_cleared_department,
    a_consent,
    a_person,
    a_request,
    a_screening,
    an_egfr,
    an_injection,
)
from tests.support.desk import A_NOON, ADesk
from tests.support.screening import arrives


def pregnancy(code: str, day: int = 1) -> Resource:
    return {
        "resourceType": "Observation", "id": f"o-p{day}", "status": "final", "subject": PATIENT,
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "effectiveDateTime": f"2026-03-0{day}T08:00:00+08:00",
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": code}]},
    }  # fmt: skip


def an_allergy() -> Resource:
    return {
        "resourceType": "AllergyIntolerance", "id": "o-allergy", "patient": PATIENT,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        "reaction": [{"manifestation": [{"text": "休克"}], "severity": "severe"}],
    }  # fmt: skip


def kept(desk: ADesk, kind: str) -> list[Resource]:
    return [one.resource for one in desk.held.values() if one.resource["resourceType"] == kind]


async def asked_again(desk: ADesk) -> int:
    return len(await desk.search(f"Task?code=screening&focus={EXAM}&status=requested"))


@pytest.mark.clause("5.4.1")
async def test_another_pregnancy_status_voids_the_screening_and_asks_it_again() -> None:
    desk = a_cleared_department()
    assert not (await arrives(desk, pregnancy("LA26683-5", 1))).save, "what was never stated changes nothing"
    await arrives(desk, pregnancy("LA15173-0", 2))
    assert desk.held["QuestionnaireResponse/c-screening"].resource["status"] == "stopped"
    assert await asked_again(desk) == 1
    [issue] = kept(desk, "DetectedIssue")
    assert (rule_of(issue), issue["severity"]) == ("consent.pregnancy-changed", "high")
    found = {finding.rule for finding in (await judged(an_injection(), desk)).findings}
    assert "consent.screening-current" in found, "the gate is closed"


async def test_the_same_status_said_again_changes_nothing() -> None:
    desk = a_cleared_department()
    await arrives(desk, pregnancy("LA26683-5", 1))
    assert not (await arrives(desk, pregnancy("LA26683-5", 2))).save
    assert desk.held["QuestionnaireResponse/c-screening"].resource["status"] == "completed"


@pytest.mark.parametrize(("fact", "rule"), [(an_allergy(), "prior-reaction"), (an_egfr(12, 1), "renal-function")])
async def test_a_new_fact_that_speaks_against_contrast_is_a_finding_at_once_and_asked_again_once(
    fact: Resource, rule: str
) -> None:
    desk = a_cleared_department()
    await arrives(desk, fact)
    assert {rule_of(issue) for issue in kept(desk, "DetectedIssue")} == {f"consent.{rule}"}
    assert await asked_again(desk) == 1
    again = await arrives(desk, fact)
    assert not again.save and await asked_again(desk) == 1


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
async def test_a_finding_that_was_taken_back_is_told_again_when_it_is_found_again(status: str) -> None:
    desk = a_cleared_department()
    await arrives(desk, an_egfr(12, 1))
    [issue] = kept(desk, "DetectedIssue")
    [task] = await desk.search(f"Task?code=screening&focus={EXAM}&status=requested")
    desk.hold({**issue, "status": status})
    desk.hold({**task.resource, "status": "completed"})
    desk.hold(an_injection(status="in-progress"))
    await arrives(desk, an_egfr(90, 1))
    await arrives(desk, an_egfr(12, 1))
    standing = [one for one in kept(desk, "DetectedIssue") if one["status"] == "final"]
    assert [rule_of(one) for one in standing] == ["consent.renal-function", "consent.changed-after-permission"]
    assert await asked_again(desk) == 1


def answered_twice() -> ADesk:
    """Two people answered for the same exam; the later answers lie on the desk first."""
    desk = a_cleared_department()
    desk.hold(a_screening() | {"id": "c-earlier", "authored": instant(A_NOON - timedelta(hours=3))})
    return desk


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("fact", [an_allergy(), an_egfr(12, 1)])
async def test_an_exam_that_was_screened_twice_is_asked_again_once_about_the_newest_answers(fact: Resource) -> None:
    desk = answered_twice()
    desk.hold(an_injection(status="in-progress"))
    changes = await arrives(desk, fact)
    assert len(changes.keys) == len(set(changes.keys)) == 1
    assert await asked_again(desk) == 1
    about = [one["implicated"][0]["reference"] for one in kept(desk, "DetectedIssue")]
    assert about == ["QuestionnaireResponse/c-screening", "MedicationAdministration/c-injection"]
    assert not (await arrives(desk, fact)).save


async def test_another_pregnancy_status_leaves_no_older_screening_to_take_the_place_of_the_newest() -> None:
    desk = answered_twice()
    await arrives(desk, pregnancy("LA26683-5", 1))
    changes = await arrives(desk, pregnancy("LA15173-0", 2))
    answers = [one for one in kept(desk, "QuestionnaireResponse") if is_our_screening(one)]
    assert {one["status"] for one in answers} == {"stopped"}
    assert len(changes.keys) == 1 and await asked_again(desk) == 1


@pytest.mark.parametrize("state", ["acquired", "closed", "cancelled"])
async def test_an_exam_that_is_over_is_left_alone(state: str) -> None:
    desk = a_cleared_department()
    desk.hold({
        "resourceType": "Task", "id": "o-task", "code": {"coding": [{"code": "exam"}]}, "focus": {"reference": EXAM},
        "businessStatus": {"coding": [{"system": EXAM_STATE, "code": state}]},
    }, source="order")  # fmt: skip
    assert not (await arrives(desk, an_allergy())).save


async def withdrawn(desk: ADesk) -> Changes:
    before = desk.held["Consent/c-consent"]
    return await consent_written(Write("update", a_consent(status="inactive"), before), desk)


async def revoked(desk: ADesk) -> Changes:
    desk.hold({
        "resourceType": "Task", "id": "c-t", "status": "requested", "code": {"coding": [{"code": "screening"}]},
        "focus": {"reference": EXAM},
    })  # fmt: skip
    before = desk.held[EXAM]
    stored = desk.hold(a_request(status="revoked"), source="order")
    return await request_arrived(Arrival("order", stored.resource, stored.version, before=before), desk)


async def allergic(desk: ADesk) -> Changes:
    return await arrives(desk, an_allergy())


async def suspended(desk: ADesk) -> Changes:
    person = a_person("o-nurse", "senior-nurse", "ct-nursing-training", competent_until="2026-02-01")
    stored = desk.hold(person, source="order")
    return await staff_arrived(Arrival("order", person, stored.version), desk)


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("what", [withdrawn, revoked, allergic, suspended])
async def test_whoever_is_at_the_injector_is_told_at_once_what_no_longer_stands(what: Any) -> None:
    desk = a_cleared_department()
    desk.hold(an_injection(status="in-progress"))
    changes = await what(desk)
    notices = [s.resource for s in changes.save if "notice" in str(s.resource.get("code", ""))]
    assert {one["owner"]["reference"] for one in notices} >= {"Practitioner/o-nurse"}
    assert {one["priority"] for one in notices} == {"stat"}
    issues = [s.resource for s in changes.save if rule_of(s.resource) == "consent.changed-after-permission"]
    assert issues[0]["severity"] == "high" and issues[0]["implicated"][0]["reference"].startswith("MedicationAdm")


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("what", [withdrawn, revoked, allergic])
async def test_injections_of_other_patients_are_not_looked_through(what: Any) -> None:
    desk = a_cleared_department()
    left = {"status": "in-progress", "subject": {"reference": "Patient/o-other"}}
    for number in range(3):
        desk.hold(an_injection(**left, id=f"c-left{number}", supportingInformation=[]))
    desk.hold({"resourceType": "Patient", "id": "o-old", "link": [{"type": "replaced-by", "other": PATIENT}]})
    desk.hold(an_injection(status="on-hold", subject={"reference": "Patient/o-old"}))
    desk.limit_searches(of="MedicationAdministration", to=1)
    issues = [s.resource for s in (await what(desk)).save if rule_of(s.resource) == "consent.changed-after-permission"]
    assert [one["implicated"][0]["reference"] for one in issues] == ["MedicationAdministration/c-injection"]


@pytest.mark.parametrize("fact", [pregnancy("LA15173-0", 2), an_allergy()])
async def test_a_patient_with_many_other_observations_is_looked_at_all_the_same(fact: Resource) -> None:
    desk = a_cleared_department()
    desk.hold(pregnancy("LA26683-5", 1), source="order")
    for number in range(5):
        weight = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        desk.hold({**an_egfr(), "id": f"o-w{number}", "code": weight})
    desk.limit_searches(of="Observation", to=2)
    await arrives(desk, fact)
    assert await asked_again(desk) == 1


async def test_without_an_injection_nobody_is_told() -> None:
    desk = a_cleared_department()
    desk.hold(an_injection(status="completed"))
    [issue] = [saved.resource for saved in (await withdrawn(desk)).save]
    assert rule_of(issue) == "consent.withdrawal-reason", "kept, and told to nobody"


def test_only_what_screening_looks_at_is_waited_for() -> None:
    assert is_looked_at(an_egfr()) and is_looked_at(pregnancy("LA26683-5"))
    assert not is_looked_at({"code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]}})


async def test_a_merged_record_counts_as_the_same_patient() -> None:
    desk = a_cleared_department()
    desk.hold(
        {"resourceType": "Patient", "id": "o-old", "link": [{"type": "replaced-by", "other": PATIENT}]}, source="order"
    )
    await arrives(desk, an_allergy() | {"patient": {"reference": "Patient/o-old"}})
    assert await asked_again(desk) == 1

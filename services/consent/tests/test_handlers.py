"""Requests open screening, answers are assessed, consents are complete, observations and reactions end properly."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Arrival, Changes, Due, Resource, Write
from slipring_consent.handlers.consents import consent_written
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.observation import observation_over, task_changed
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.handlers.requests import exam_arrived, request_arrived
from slipring_consent.handlers.screening import issue_decided, screening_answered
from slipring_consent.reading import instant
from slipring_consent.screening.form import questionnaire
from slipring_consent.settings import ConsentSettings

from tests.support.contrast import (
    EXAM,
    IOHEXOL,
    PATIENT,
    a_cleared_department,
    a_consent,
    a_department,
    a_request,
    a_screening,
    an_egfr,
    an_injection,
)
from tests.support.desk import A_NOON, ADesk


def arrived(request: Resource, version: int = 1) -> Arrival:
    return Arrival("order", request, version)


def refused_at(changes: Changes) -> set[str]:
    return {issue.at for issue in changes.refuse.issues} if changes.refuse else set()


# --- requests ---


async def test_a_contrast_request_opens_one_screening_with_the_questionnaire() -> None:
    desk = a_department()
    changes = await request_arrived(arrived(a_request()), desk)
    task, form = (save.resource for save in changes.save)
    assert (task["focus"], task["for"]) == ({"reference": EXAM}, PATIENT)
    assert task["input"][0]["valueCanonical"] == f"{form['url']}|{form['version']}"
    assert changes.keys == [f"screening:{EXAM}"]
    desk.carry_out(changes)
    assert await request_arrived(arrived(a_request()), desk) == Changes.none()


async def test_a_local_code_that_order_translated_opens_screening_and_closes_it_when_it_means_none() -> None:
    local = {"coding": [{"system": "urn:hospital:exam", "code": "CT002"}]}
    kind = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-input", "code": "exam"}]}
    exam: Resource = {
        "resourceType": "Task", "id": "o-task", "status": "accepted", "focus": {"reference": EXAM},
        "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "exam"}]},
        "input": [{"type": kind, "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}}],
    }  # fmt: skip
    desk = a_department()
    request = a_request(code=local)
    desk.hold(request, source="order")
    assert await request_arrived(arrived(request), desk) == Changes.none()
    desk.hold(exam, source="order")
    changes = await exam_arrived(Arrival("order", exam, 1), desk)
    assert [save.resource["focus"]["reference"] for save in changes.save[:1]] == [EXAM]
    desk.carry_out(changes)
    assert await exam_arrived(Arrival("order", exam, 1), desk) == Changes.none()
    before = desk.held["Task/o-task"]
    plain = {**exam, "input": []}
    desk.hold(plain, source="order")
    [closed] = (await exam_arrived(Arrival("order", plain, 2, before=before), desk)).save
    assert closed.resource["status"] == "cancelled"


async def test_a_contrast_agent_in_the_details_makes_any_exam_a_contrast_exam() -> None:
    plain = {"coding": [{"system": "http://loinc.org", "code": "24627-2"}]}
    assert await request_arrived(arrived(a_request(code=plain)), a_department()) == Changes.none()
    assert (await request_arrived(arrived(a_request(code=plain, orderDetail=[IOHEXOL])), a_department())).save


async def test_a_revoked_request_closes_its_screening() -> None:
    desk = a_department()
    desk.carry_out(await request_arrived(arrived(a_request()), desk))
    changes = await request_arrived(arrived(a_request(status="revoked"), 2), desk)
    assert [save.resource["status"] for save in changes.save] == ["cancelled"]


async def test_a_changed_exam_voids_consent_and_screening_and_asks_anew() -> None:
    desk = a_cleared_department()
    desk.carry_out(await request_arrived(arrived(a_request()), desk))
    changed = a_request(code={"coding": [{"system": "http://loinc.org", "code": "36813-4"}]})
    changes = await request_arrived(Arrival("order", changed, 2, before=desk.held[EXAM]), desk)
    states = {(save.resource["resourceType"], save.resource["status"]) for save in changes.save}
    assert states == {
        ("Task", "cancelled"),
        ("Task", "requested"),
        ("Consent", "inactive"),
        ("QuestionnaireResponse", "stopped"),
    }


async def test_an_exam_that_becomes_a_plain_one_keeps_no_consent_for_later() -> None:
    desk = a_cleared_department()
    desk.carry_out(await request_arrived(arrived(a_request()), desk))
    plain = a_request(code={"coding": [{"system": "http://loinc.org", "code": "24627-2"}]})
    changes = await request_arrived(Arrival("order", plain, 2, before=desk.held[EXAM]), desk)
    states = {(save.resource["resourceType"], save.resource["status"]) for save in changes.save}
    assert states == {("Task", "cancelled"), ("Consent", "inactive"), ("QuestionnaireResponse", "stopped")}


@pytest.mark.parametrize(
    ("members", "void"),
    [
        (
            {
                "code": {
                    "coding": [{"system": "http://loinc.org", "code": "24628-0", "display": "CT abdomen W contrast"}]
                }
            },
            False,
        ),
        ({"subject": {"reference": "Patient/o-twin"}}, False),
        ({"subject": {"reference": "Patient/o-other"}}, True),
        ({"bodySite": [{"text": "左膝"}]}, True),
        ({"extension": [{"url": f"{CANONICAL}/StructureDefinition/laterality", "valueCode": "left"}]}, True),
    ],
)
async def test_only_another_exam_side_or_person_voids_not_another_spelling_or_record(
    members: Resource, void: bool
) -> None:
    desk = a_cleared_department()
    twin = {
        "resourceType": "Patient",
        "id": "o-twin",
        "link": [{"type": "replaces", "other": {"reference": "Patient/o-pat"}}],
    }
    desk.hold(twin, source="order")
    desk.carry_out(await request_arrived(arrived(a_request()), desk))
    changes = await request_arrived(Arrival("order", a_request(**members), 2, before=desk.held[EXAM]), desk)
    assert bool([save for save in changes.save if save.resource["resourceType"] == "Consent"]) is void


def test_the_questionnaire_speaks_both_languages() -> None:
    for item in questionnaire()["item"]:
        assert item["_text"]["extension"][0]["extension"][1]["valueString"]


# --- screening ---


async def test_an_answered_screening_keeps_a_finding_per_rule_and_closes_its_task() -> None:
    desk = a_department(an_egfr(28))
    desk.carry_out(await request_arrived(arrived(a_request()), desk))
    changes = await screening_answered(Write("create", a_screening(metformin="Y", asthma="UNK")), desk)
    issues = [save.resource for save in changes.save if save.resource["resourceType"] == "DetectedIssue"]
    assert {rule_of(issue) for issue in issues} == {"consent.renal-function", "consent.metformin", "consent.asthma"}
    assert all(issue["implicated"] == [{"reference": "QuestionnaireResponse/c-screening"}] for issue in issues)
    [task] = [save.resource for save in changes.save if save.resource["resourceType"] == "Task"]
    assert task["status"] == "completed"


async def test_answers_nobody_could_give_are_unknown_and_not_no() -> None:
    nobody_knows = dict.fromkeys(("asthma", "hyperthyroidism", "metformin"), "UNK") | {"prior_reaction": "unknown"}
    changes = await screening_answered(Write("create", a_screening(**nobody_knows)), a_department())
    assert {rule_of(save.resource) for save in changes.save} == {
        "consent.prior-reaction",
        "consent.renal-function",
        "consent.metformin",
        "consent.thyroid",
        "consent.asthma",
    }


async def test_a_screening_for_no_exam_or_with_unknown_questions_is_refused() -> None:
    odd = {**a_screening(), "item": [{"linkId": "shoe-size"}, *a_screening()["item"]]}
    del odd["basedOn"]
    changes = await screening_answered(Write("create", odd), a_department())
    assert refused_at(changes) == {"QuestionnaireResponse.basedOn", "QuestionnaireResponse.item[0].linkId"}


async def test_a_finding_that_a_physician_decided_no_longer_closes_the_gate() -> None:
    desk = a_department(an_egfr(), a_consent())
    desk.carry_out(
        await screening_answered(Write("create", a_screening(asthma="UNK")), desk), a_screening(asthma="UNK")
    )
    assert (await contrast_written(Write("create", an_injection()), desk)).refuse is not None
    [stored] = await desk.search("DetectedIssue?status=final")
    by = {"author": {"reference": "Practitioner/o-physician"}, "action": {"text": "asked, none"}}
    decided = {**stored.resource, "mitigation": [by]}
    assert await issue_decided(Write("update", decided, stored), desk) == Changes.none()
    desk.hold(decided)
    assert (await contrast_written(Write("create", an_injection()), desk)).refuse is None


async def test_a_nurse_cannot_decide_a_finding() -> None:
    issue: Resource = {"resourceType": "DetectedIssue", "id": "c-i", "status": "final"}
    issue["mitigation"] = [{"author": {"reference": "Practitioner/o-nurse"}, "action": {"text": "fine"}}]
    changes = await issue_decided(Write("create", issue), a_department())
    assert refused_at(changes) == {"DetectedIssue.mitigation[0].author"}


# --- consent ---


async def test_a_complete_consent_is_kept_without_a_finding() -> None:
    changes = await consent_written(Write("create", a_consent()), a_department())
    assert (changes.refuse, list(changes.save), dict(changes.members)) == (None, [], {})


async def test_an_active_consent_without_signer_validity_and_exam_is_refused_with_every_reason() -> None:
    changes = await consent_written(Write("create", a_consent(performer=[], provision={})), a_department())
    assert refused_at(changes) == {"Consent.performer", "Consent.provision.period", "Consent.provision.data"}


async def test_a_validity_that_only_begins_ends_after_the_default() -> None:
    provision = {**a_consent()["provision"], "period": {"start": instant(A_NOON)}}
    changes = await consent_written(Write("create", a_consent(provision=provision)), a_department())
    assert changes.members["provision"]["period"]["end"] == instant(A_NOON + timedelta(hours=24))


@pytest.mark.parametrize(("relationship", "stands"), [([{"text": "mother"}], True), ([], False)])
async def test_a_guardian_signs_with_the_relationship_stated(relationship: list[Any], stands: bool) -> None:
    mother = {"resourceType": "RelatedPerson", "id": "o-m", "patient": PATIENT, "relationship": relationship}
    consent = a_consent(performer=[{"reference": "RelatedPerson/o-m"}])
    changes = await consent_written(Write("create", consent), a_department(mother))
    assert (changes.refuse is None) is stands


async def test_a_consent_nobody_explained_is_kept_with_a_finding() -> None:
    changes = await consent_written(Write("create", a_consent(verification=[])), a_department())
    assert changes.refuse is None
    assert [rule_of(save.resource) for save in changes.save] == ["consent.explanation"]


async def test_another_patients_consent_is_refused() -> None:
    other = {"reference": "Patient/o-other"}
    changes = await consent_written(Write("create", a_consent(patient=other, performer=[other])), a_department())
    assert refused_at(changes) == {"Consent.patient"}


async def test_a_withdrawal_is_taken_and_a_withdrawn_consent_does_not_come_back() -> None:
    desk = a_department()
    signed = desk.hold(a_consent())
    withdrawn = a_consent(status="inactive")
    changes = await consent_written(Write("update", withdrawn, signed), desk)
    assert changes.refuse is None
    [finding] = [save.resource for save in changes.save]  # it says neither by whom nor why
    assert finding["extension"][0]["extension"][0]["valueCode"] == "consent.withdrawal-reason"
    changes = await consent_written(Write("update", a_consent(), desk.hold(withdrawn)), desk)
    assert changes.refuse is not None
    assert changes.refuse.status == 409


async def test_a_signed_consent_does_not_change_under_the_signature() -> None:
    desk = a_department()
    longer = {**a_consent()["provision"], "period": {"end": "2027-01-01"}}
    changes = await consent_written(Write("update", a_consent(provision=longer), desk.hold(a_consent())), desk)
    assert refused_at(changes) == {"Consent.provision"}


async def test_a_refusal_ends_the_consent_given_before() -> None:
    desk = a_cleared_department()
    refusal = a_consent(id="c-refusal", status="rejected")
    desk.carry_out(await consent_written(Write("create", refusal), desk), refusal)
    assert desk.held["Consent/c-consent"].resource["status"] == "inactive"
    assert (await contrast_written(Write("create", an_injection()), desk)).refuse is not None


# --- observation ---


async def an_observed_patient() -> tuple[ADesk, Any]:
    desk = a_cleared_department()
    given = an_injection(status="completed")
    desk.carry_out(await contrast_written(Write("update", given, desk.hold(an_injection())), desk), given)
    [task] = await desk.search("Task?code=observation")
    return desk, task


async def test_an_observation_is_released_after_its_time_by_a_named_person() -> None:
    desk, task = await an_observed_patient()
    early = {**task.resource, "status": "completed"}
    assert refused_at(await task_changed(Write("update", early, task), desk)) == {"Task.status", "Task.owner"}
    desk.now = A_NOON + timedelta(minutes=30)
    late = {**early, "owner": {"reference": "Practitioner/o-nurse"}}
    changes = await task_changed(Write("update", late, task), desk)
    assert (changes.refuse, changes.cancel) == (None, ["observation:MedicationAdministration/c-injection"])


async def test_a_moved_deadline_does_not_release_earlier() -> None:
    desk, task = await an_observed_patient()
    released = {**task.resource, "status": "completed", "owner": {"reference": "Practitioner/o-nurse"}}
    released["restriction"] = {"period": {"end": instant(A_NOON)}}
    assert refused_at(await task_changed(Write("update", released, task), desk)) == {"Task.status"}


async def test_when_the_time_is_over_the_task_says_so() -> None:
    desk, task = await an_observed_patient()
    due = Due("observation-over", task.reference, "", A_NOON, {})
    [save] = (await observation_over(due, desk)).save
    assert save.resource["businessStatus"]["coding"][0]["code"] == "over"
    desk.hold({**task.resource, "status": "completed"})
    assert await observation_over(due, desk) == Changes.none()


# --- reactions ---


def a_reaction(kind: str = "allergic-like", **members: Any) -> Resource:
    return {
        "resourceType": "AdverseEvent",
        "id": "c-reaction",
        "actuality": "actual",
        "subject": PATIENT,
        "event": {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-type", "code": kind}]},
        "severity": {"coding": [{"code": "severe"}]},
        "date": instant(A_NOON),
        "suspectEntity": [{"instance": {"reference": "MedicationAdministration/c-injection"}}],
        **members,
    }


async def test_an_allergic_like_reaction_leaves_an_allergy_once_that_closes_the_gate() -> None:
    desk = a_cleared_department()
    desk.hold(an_injection(status="completed"))
    changes = await reaction_logged(Write("create", a_reaction()), desk)
    made = {save.resource["resourceType"]: save.resource for save in changes.save}
    assert set(made) == {"AllergyIntolerance", "Observation", "Task"}, "severe: told to critical in the same commit"
    allergy = made["AllergyIntolerance"]
    assert (allergy["code"], allergy["criticality"]) == (IOHEXOL, "high")
    desk.carry_out(changes, a_reaction())
    assert await reaction_logged(Write("update", a_reaction(), desk.held["AdverseEvent/c-reaction"]), desk) == (
        Changes.none()
    )
    again = await contrast_written(Write("create", an_injection(id="c-second")), desk)
    assert again.refuse is not None
    assert [issue.detail for issue in again.refuse.issues] == ["consent.no-high-finding"]


async def test_a_physiologic_reaction_leaves_no_allergy() -> None:
    mild = a_reaction("physiologic", severity={"coding": [{"code": "mild"}]})
    assert await reaction_logged(Write("create", mild), a_department()) == Changes.none()


async def test_a_reaction_is_closed_only_with_measures_and_effect() -> None:
    system = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
    closed = a_reaction(outcome={"coding": [{"system": system, "code": "resolved"}]})
    changes = await reaction_logged(Write("create", closed), a_department())
    assert changes.refuse is not None
    assert {issue.detail for issue in changes.refuse.issues} == {"consent.reaction-measures", "consent.reaction-effect"}
    said = [
        {"url": f"{CANONICAL}/StructureDefinition/{name}", "valueString": "said"}
        for name in ("measures", "effect-on-result")
    ]
    assert (await reaction_logged(Write("create", {**closed, "extension": said}), a_department())).refuse is None
    open_still = a_reaction(outcome={"coding": [{"system": system, "code": "ongoing"}]})
    assert (await reaction_logged(Write("create", open_still), a_department())).refuse is None


def test_settings_come_from_the_environment_and_have_defaults() -> None:
    assert ConsentSettings.from_env({}) == ConsentSettings()
    read = ConsentSettings.from_env(
        {"SLIPRING_CONSENT_CONFIRMED": "esur-10, csr-2", "SLIPRING_CONSENT_POLICY": "csr-2"}
    )
    assert (read.policy, read.confirmed) == ("csr-2", {"esur-10", "csr-2"})

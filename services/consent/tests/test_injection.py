"""The gate: contrast is given with everything in place, and refused with every reason."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.copies import decided_on
from slipring.fhir.service import Changes, Write
from slipring_consent.contrast.injection import INJECTION
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.reading import instant
from slipring_consent.settings import ConsentSettings

from tests.support.contrast import (
    a_cleared_department,
    a_consent,
    a_department,
    a_person,
    a_request,
    a_screening,
    an_egfr,
    an_injection,
    an_override,
)
from tests.support.desk import A_NOON, ADesk
from tests.support.lots import a_lot

LATE = Caller("his", frozenset({"system/*.cruds", "slipring/record-late"}))


async def ask(desk: ADesk, **members: Any) -> Changes:
    return await contrast_written(Write("create", an_injection(**members)), desk)


def reasons(changes: Changes) -> set[str]:
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


async def test_the_gate_opens_when_everything_stands_and_names_what_it_relied_on() -> None:
    changes = await ask(a_cleared_department())
    assert changes.refuse is None
    assert {one.reference for one in changes.require} == {"Consent/c-consent", "QuestionnaireResponse/c-screening"}
    assert changes.append["extension"] == [decided_on("order", A_NOON)]


async def test_a_refusal_names_every_reason_with_its_element_and_is_kept_on_record() -> None:
    changes = await ask(a_department(), performer=[])
    assert changes.refuse is not None
    assert changes.refuse.status == 422
    assert reasons(changes) == {
        "consent.consent-valid",
        "consent.screening-current",
        "consent.performer-qualified",
        "consent.observer-named",
    }
    assert all(issue.at.startswith("MedicationAdministration.") for issue in changes.refuse.issues)
    assert [save.resource["resourceType"] for save in changes.save] == ["DetectedIssue"] * 4


@pytest.mark.parametrize(
    ("consent", "says"),
    [
        (a_consent(status="inactive"), "withdrawn"),
        (a_consent(status="rejected"), "refused"),
        (a_consent(patient={"reference": "Patient/o-other"}), "no consent"),
        (
            a_consent(
                provision={**a_consent()["provision"], "period": {"end": instant(A_NOON - timedelta(seconds=1))}}
            ),
            "expired",
        ),
        (
            a_consent(provision={**a_consent()["provision"], "period": {"start": "2026-03-03", "end": "2026-03-04"}}),
            "not yet",
        ),
    ],
)
async def test_a_consent_that_does_not_stand_closes_the_gate(consent: dict[str, Any], says: str) -> None:
    changes = await ask(a_department(an_egfr(), a_screening(), consent))
    assert reasons(changes) == {"consent.consent-valid"}
    assert changes.refuse is not None
    assert says in changes.refuse.issues[0].en


async def test_a_consent_for_another_exam_is_no_consent_for_this_one() -> None:
    other = {"meaning": "instance", "reference": {"reference": "ServiceRequest/o-other"}}
    desk = a_department(an_egfr(), a_screening(), a_consent(provision={**a_consent()["provision"], "data": [other]}))
    assert reasons(await ask(desk)) == {"consent.consent-valid"}


async def test_an_overactive_thyroid_stops_and_unknown_metformin_asks() -> None:
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y", metformin="UNK"), a_consent())
    assert reasons(await ask(desk)) == {"consent.no-high-finding", "consent.questions-decided"}


async def test_renal_function_that_is_too_old_is_unknown() -> None:
    desk = a_department(an_egfr(days_old=91), a_screening(), a_consent())
    assert reasons(await ask(desk)) == {"consent.questions-decided"}


async def test_an_allergy_that_arrives_after_the_screening_closes_the_gate() -> None:
    desk = a_cleared_department()
    desk.hold(
        {
            "resourceType": "AllergyIntolerance",
            "id": "o-allergy",
            "patient": {"reference": "Patient/o-pat"},
            "criticality": "high",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        }
    )
    assert reasons(await ask(desk)) == {"consent.no-high-finding"}


async def test_a_refuted_allergy_does_not_count() -> None:
    desk = a_cleared_department()
    desk.hold(
        {
            "resourceType": "AllergyIntolerance",
            "id": "o-allergy",
            "patient": {"reference": "Patient/o-pat"},
            "criticality": "high",
            "verificationStatus": {"coding": [{"code": "refuted"}]},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        }
    )
    assert (await ask(desk)).refuse is None


async def test_a_nurse_below_the_rank_may_not_give_contrast() -> None:
    performer = [{"actor": {"reference": "Practitioner/o-junior"}}, an_injection()["performer"][1]]
    assert reasons(await ask(a_cleared_department(), performer=performer)) == {"consent.performer-qualified"}


@pytest.mark.clause("5.1.6")
async def test_a_nurse_whose_competence_lapsed_may_not_give_contrast() -> None:
    desk = a_cleared_department()
    desk.hold(a_person("o-nurse", "senior-nurse", "ct-nursing-training", competent_until="2026-03-01"), source="order")
    assert reasons(await ask(desk)) == {"consent.performer-qualified"}
    desk.hold(a_person("o-nurse", "senior-nurse", "ct-nursing-training", competent_until="2026-03-02"), source="order")
    assert (await ask(desk)).refuse is None


async def test_a_cancelled_request_gets_no_contrast() -> None:
    desk = a_cleared_department()
    desk.hold(a_request(status="revoked"))
    assert reasons(await ask(desk)) == {"consent.gate-exam"}


async def test_stale_copies_are_answered_with_their_age() -> None:
    changes = await ask(a_cleared_department(as_of={"order": A_NOON - timedelta(seconds=31)}))
    assert changes.refuse is not None
    assert (changes.refuse.status, changes.refuse.issues[0].en) == (503, "order is 31 s behind.")
    assert (await ask(a_cleared_department(as_of={"order": A_NOON - timedelta(seconds=30)}))).refuse is None


async def test_copies_that_were_never_filled_decide_nothing() -> None:
    changes = await ask(a_cleared_department(as_of={}))
    assert changes.refuse is not None
    assert changes.refuse.status == 503


async def test_an_emergency_passes_stale_copies_and_is_counted() -> None:
    desk = a_cleared_department(as_of={})
    changes = await ask(desk, extension=an_override("emergency"))
    assert changes.refuse is None
    [issue] = [save.resource for save in changes.save]
    assert issue["mitigation"][0]["author"] == {"reference": "Practitioner/o-physician"}


async def test_a_physician_overrides_a_high_finding_by_name_and_it_is_counted() -> None:
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y"), a_consent())
    changes = await ask(desk, extension=an_override("benefit-outweighs-risk"))
    assert changes.refuse is None
    assert changes.save[0].resource["mitigation"]


async def test_a_nurse_overrides_nothing() -> None:
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y"), a_consent())
    changes = await ask(desk, extension=an_override("benefit-outweighs-risk", by="Practitioner/o-nurse"))
    assert changes.refuse is not None


async def test_a_reason_that_the_policy_does_not_allow_overrides_no_missing_consent() -> None:
    desk = a_department(an_egfr(), a_screening())
    assert reasons(await ask(desk, extension=an_override("benefit-outweighs-risk"))) == {"consent.consent-valid"}


async def test_an_unconfirmed_number_does_not_stop_but_a_physician_decides() -> None:
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y"), a_consent(), settings=ConsentSettings())
    assert reasons(await ask(desk)) == {"consent.questions-decided"}


async def test_another_drug_for_a_plain_exam_is_a_plain_record() -> None:
    desk = a_department()
    desk.hold(a_request(code={"coding": [{"system": "http://loinc.org", "code": "24627-2"}]}))
    other = {"coding": [{"system": "http://www.whocc.no/atc", "code": "B05BB01"}]}
    assert await ask(desk, medicationCodeableConcept=other) == Changes.none()
    assert (await ask(desk)).refuse is not None  # the agent alone makes it contrast


async def test_a_completed_injection_that_was_permitted_arms_the_observation() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection())
    changes = await contrast_written(Write("update", an_injection(status="completed"), before), desk)
    assert changes.refuse is None
    [task] = [save.resource for save in changes.save]
    assert task["code"]["coding"][0]["code"] == "observation"
    assert task["restriction"]["period"]["end"] == instant(A_NOON + timedelta(minutes=30))
    assert [(wake.name, wake.after) for wake in changes.wake] == [("observation-over", timedelta(minutes=30))]


async def test_a_fact_without_permission_needs_the_scope_and_opens_a_nonconformity() -> None:
    told = {"status": "completed", "effectiveDateTime": instant(A_NOON - timedelta(minutes=10))}
    refused = await ask(a_cleared_department(), **told)
    assert refused.refuse is not None
    assert refused.refuse.status == 403
    unreasoned = await ask(a_cleared_department(caller=LATE), **told)
    assert unreasoned.refuse is not None
    assert unreasoned.refuse.issues[0].at == "MedicationAdministration.statusReason"
    kept = await ask(a_cleared_department(caller=LATE), statusReason=[{"text": "manual injection"}], **told)
    codes = [save.resource["code"]["coding"][0]["code"] for save in kept.save]
    assert (kept.refuse, codes) == (None, ["nonconformity", "observation"])
    assert kept.wake[0].after == timedelta(minutes=20)


async def test_nothing_is_told_about_the_future() -> None:
    changes = await ask(
        a_cleared_department(caller=LATE), status="completed", effectiveDateTime=instant(A_NOON + timedelta(minutes=1))
    )
    assert changes.refuse is not None


async def test_not_done_has_a_reason() -> None:
    changes = await ask(a_department(), status="not-done")
    assert changes.refuse is not None
    assert (await ask(a_department(), status="not-done", statusReason=[{"text": "refused"}])).refuse is None


async def test_an_illegal_move_names_the_legal_ones() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection(status="completed"))
    changes = await contrast_written(Write("update", an_injection(), before), desk)
    assert changes.refuse is not None
    assert (changes.refuse.status, "entered-in-error" in changes.refuse.issues[0].en) == (409, True)


async def test_a_permission_cannot_be_carried_to_another_patient() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection())
    moved = an_injection(status="completed", subject={"reference": "Patient/o-other"})
    changes = await contrast_written(Write("update", moved, before), desk)
    assert changes.refuse is not None
    assert changes.refuse.issues[0].at == "MedicationAdministration.subject"


async def test_an_import_brings_history_but_no_permission() -> None:
    asked = await contrast_written(Write("create", an_injection(), imported=True), a_department())
    assert asked.refuse is not None
    told = an_injection(status="completed")
    assert await contrast_written(Write("create", told, imported=True), a_department()) == Changes.none()


async def test_an_imported_consent_that_nobody_signed_is_none() -> None:
    desk = a_department(an_egfr(), a_screening(), a_consent(performer=[]))
    assert reasons(await ask(desk)) == {"consent.consent-valid"}


@pytest.mark.clause("5.4.1")
async def test_while_one_injection_of_an_exam_runs_no_second_one_is_permitted() -> None:
    desk = a_cleared_department()
    running = desk.hold(an_injection())
    assert reasons(await ask(desk, id="c-second")) == {"consent.one-at-a-time"}
    assert (await ask(desk, id="c-second", extension=an_override("emergency"))).refuse is None
    desk.hold(an_injection(status="on-hold"))
    assert reasons(await ask(desk, id="c-second")) == {"consent.one-at-a-time"}
    on_hold = await desk.read(running.reference)
    assert (await contrast_written(Write("update", an_injection(), on_hold), desk)).refuse is None, "it goes on itself"
    desk.hold(an_injection(status="stopped"))
    assert (await ask(desk, id="c-second")).refuse is None


@pytest.mark.parametrize("at", ["subject", "supportingInformation[0]", "performer[0].actor"])
async def test_an_injection_that_names_by_an_address_what_no_alarm_would_find_is_told_how(at: str) -> None:
    injection = an_injection()
    element = {
        "subject": injection["subject"],
        "supportingInformation[0]": injection["supportingInformation"][0],
        "performer[0].actor": injection["performer"][0]["actor"],
    }[at]
    injection |= {
        "subject": {**injection["subject"]},
        "supportingInformation": [{**injection["supportingInformation"][0]}],
    }
    target = {"subject": injection["subject"], "supportingInformation[0]": injection["supportingInformation"][0]}
    target.get(at, element)["reference"] = "https://front.example/fhir/" + element["reference"]
    changes = await contrast_written(Write("create", injection), a_cleared_department())
    assert "consent.named-here" in reasons(changes)
    assert changes.refuse is not None
    assert f"MedicationAdministration.{at}" in {issue.at for issue in changes.refuse.issues}


@pytest.mark.clause("5.1.2")
async def test_another_lot_in_the_same_contained_medication_is_another_injection() -> None:
    desk = a_cleared_department()
    named = {"medicationReference": {"reference": "#pack"}}
    before = desk.hold(an_injection(contained=[a_lot(id="pack")], **named))
    other = an_injection(contained=[a_lot(id="pack", batch={"lotNumber": "B1"})], **named)
    refused = (await contrast_written(Write("update", other, before), desk)).refuse
    assert refused and refused.issues[0].at == "MedicationAdministration.contained"


@pytest.mark.clause("5.3.2.1")
async def test_a_paused_injection_goes_on_only_if_its_lot_was_not_recalled_meanwhile() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection(status="on-hold"))
    assert (await contrast_written(Write("update", an_injection(), before), desk)).refuse is None
    desk.hold(a_lot("recalled"))
    assert reasons(await contrast_written(Write("update", an_injection(), before), desk)) == {
        "consent.lot-not-recalled"
    }


async def test_another_setting_of_the_injector_asks_anew() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection())
    desk.hold(a_lot("recalled"))
    setting = {"url": INJECTION, "extension": [{"url": "gauge", "valueInteger": 24}]}
    changes = await contrast_written(Write("update", an_injection(extension=[setting]), before), desk)
    assert reasons(changes) == {"consent.lot-not-recalled"}


async def test_other_people_or_another_dose_ask_anew_and_a_note_does_not() -> None:
    desk = a_cleared_department()
    before = desk.hold(an_injection())
    junior = [{"actor": {"reference": "Practitioner/o-junior"}}, an_injection()["performer"][1]]
    handed_over = await contrast_written(Write("update", an_injection(performer=junior), before), desk)
    assert reasons(handed_over) == {"consent.performer-qualified"}
    desk.hold(a_consent(status="inactive"))
    dosage = {"dose": {"value": 90, "unit": "mL"}}
    more = await contrast_written(Write("update", an_injection(dosage=dosage), before), desk)
    assert reasons(more) == {"consent.consent-valid"}
    noted = await contrast_written(Write("update", an_injection(note=[{"text": "warm"}]), before), desk)
    assert noted == Changes.none()


async def test_copies_that_are_behind_are_answered_with_the_way_open_in_an_emergency() -> None:
    changes = await ask(a_cleared_department(as_of={"order": A_NOON - timedelta(seconds=60)}))
    assert changes.refuse is not None
    assert changes.refuse.status == 503
    age, way = changes.refuse.issues
    assert "60 s" in age.en
    assert way.detail == "consent.emergency-path"
    assert "emergency" in way.en

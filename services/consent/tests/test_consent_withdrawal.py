"""A consent is withdrawn at any moment, by whom and why; it is heard at the injector, and nothing else stands in its place."""

from datetime import timedelta

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Write
from slipring_consent.consenting.statement import WITHDRAWAL
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.reading import extensions, instant

from tests.support.contrast import EXAM, a_consent, a_screening, an_egfr, an_injection
from tests.support.desk import A_NOON

from .consent_room import MOTHER, NURSE, PATIENT, ConsentRoom, refusals


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("by", [PATIENT, f"RelatedPerson/{MOTHER['id']}", NURSE])
async def test_a_withdrawal_says_by_whom_and_why_and_closes_the_gate(by: str) -> None:
    room = ConsentRoom(an_egfr(), a_screening())
    consent = await room.consented()
    changes = await room.withdrawn(f"Consent/{consent['id']}", by)
    assert changes.refuse is None
    kept = room.desk.held[f"Consent/{consent['id']}"].resource
    assert (kept["status"], check(kept)) == ("inactive", [])
    said = {part["url"]: part for part in extensions(kept, WITHDRAWAL)[0]["extension"]}
    assert said["by"]["valueReference"] == {"reference": by}
    assert said["reason"]["valueCodeableConcept"] == {"text": "改变主意"}
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}


async def test_another_patient_withdraws_nothing_and_nothing_is_withdrawn_twice() -> None:
    room = ConsentRoom()
    reference = f"Consent/{(await room.consented())['id']}"
    room.desk.hold({"resourceType": "Patient", "id": "o-other"}, source="order")
    for stranger in ("Patient/o-other", "Patient/o-nobody", "Organization/o-1", ""):
        with pytest.raises(Exception, match="422"):
            await room.withdrawn(reference, stranger)
    await room.withdrawn(reference)
    assert refusals(await room.withdrawn(reference)) == {"consent.illegal-move"}


@pytest.mark.clause("5.4.1")
async def test_a_withdrawal_during_the_injection_is_told_at_once() -> None:
    room = ConsentRoom(an_egfr(), a_screening())
    reference = f"Consent/{(await room.consented())['id']}"
    room.desk.hold(an_injection())
    changes = await room.withdrawn(reference)
    notices = [save.resource for save in changes.save if save.resource["resourceType"] == "Task"]
    assert [notice["owner"]["reference"] for notice in notices] == [NURSE]


async def test_a_second_consent_for_the_exam_does_not_outlive_the_withdrawal_of_the_first() -> None:
    for plainly in (False, True):
        room = ConsentRoom(a_consent(id="c-paper"))
        consent = await room.consented()
        if plainly:
            await room.written({**room.desk.held[f"Consent/{consent['id']}"].resource, "status": "inactive"})
        else:
            await room.withdrawn(f"Consent/{consent['id']}")
        states = {one.resource["status"] for one in await room.desk.search(f"Consent?data={EXAM}")}
        assert states == {"inactive"}


@pytest.mark.clause("5.4.1")
async def test_a_consent_expires_and_another_exam_has_its_own() -> None:
    room = ConsentRoom(an_egfr(), a_screening())
    await room.consented()
    room.desk.now = A_NOON + timedelta(hours=24)
    at = {"effectiveDateTime": instant(room.desk.now)}
    assert (await contrast_written(Write("create", an_injection(**at)), room.desk)).refuse is None
    room.desk.now += timedelta(seconds=1)
    assert refusals(await contrast_written(Write("create", an_injection(**at)), room.desk)) == {"consent.consent-valid"}
    other = an_injection(supportingInformation=[{"reference": "ServiceRequest/o-other"}])
    room.desk.now = A_NOON
    assert "consent.consent-valid" in refusals(await contrast_written(Write("create", other), room.desk))

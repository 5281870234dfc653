"""What was decided stays with its patient and exam: a word taken back without a reason, moved, rewritten, or spoken later."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.consents.state import EXCEPTION, consent_state, ended_by
from slipring.fhir.service import Resource, Write
from slipring_consent.consenting.exception import asks_exception
from slipring_consent.consenting.statement import WITHDRAWAL
from slipring_consent.handlers.injection import contrast_written

from tests.support.contrast import EXAM, a_consent, an_injection
from tests.support.desk import A_NOON

from .consent_room import NURSE, PATIENT, ConsentRoom, refusals
from .test_emergency_exception import a_room, an_attempt, an_exception

DENIES: Resource = {"provision": {**a_consent()["provision"], "type": "deny"}}
OPTS_OUT: Resource = {"policyRule": {"coding": [{"code": "OPTOUT"}]}}
VOID = "entered-in-error"


async def state_of(room: ConsentRoom) -> str:
    zone = ZoneInfo("Asia/Shanghai")
    return consent_state(await room.desk.search(f"Consent?data={EXAM}"), {PATIENT}, room.desk.now, zone)


@pytest.mark.clause("5.4.1")
async def test_a_withdrawal_without_a_reason_counts_is_noted_and_no_emergency_undoes_it() -> None:
    room = a_room()
    consent = await room.consented()
    changes = await room.written({**room.desk.held[f"Consent/{consent['id']}"].resource, "status": "inactive"})
    assert changes.refuse is None
    noted = [save.resource for save in changes.save if save.resource["resourceType"] == "DetectedIssue"]
    assert [one["extension"][0]["extension"][0]["valueCode"] for one in noted] == ["consent.withdrawal-reason"]
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}
    assert refusals(await room.written(an_exception(an_attempt()))) == {"consent.exception-refused"}


async def test_an_exception_that_was_ended_is_no_refusal_by_the_patient() -> None:
    room = a_room()
    await room.written(an_exception(an_attempt()))
    await room.written({**room.desk.held["Consent/c-exception"].resource, "status": "inactive"})
    assert (await room.written({**an_exception(an_attempt()), "id": "c-second"})).refuse is None


@pytest.mark.clause("5.4.1")
async def test_the_latest_word_of_the_patient_counts() -> None:
    room = ConsentRoom()
    await room.consented()
    await room.signed(room.paper(await room.text(), status="rejected"))
    assert await state_of(room) == "refused"
    room.desk.now += timedelta(minutes=5)
    again = await room.consented()
    assert await state_of(room) == "active"
    room.desk.now += timedelta(minutes=5)
    await room.withdrawn(f"Consent/{again['id']}")
    assert await state_of(room) == "withdrawn"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("said", [DENIES, OPTS_OUT], ids=["deny", "opt out"])
async def test_a_denial_that_is_written_as_active_ends_what_was_given_and_opens_nothing(said: Resource) -> None:
    room = ConsentRoom()
    given = f"Consent/{(await room.consented())['id']}"
    room.desk.hold(an_injection(status="in-progress"))
    room.desk.now += timedelta(minutes=5)
    changes = await room.written(a_consent(id="c-no", verification=None, **said))
    assert changes.refuse is None, "a refusal need not be complete"
    assert await state_of(room) == "refused"
    assert room.desk.held[given].resource["status"] == "inactive"
    assert ended_by(room.desk.held[given].resource) == "Consent/c-no"
    alarmed = [one for save in changes.save for one in save.resource.get("implicated", [])]
    assert {"reference": "MedicationAdministration/c-injection"} in alarmed
    room.desk.now += timedelta(minutes=5)
    await room.consented()
    assert await state_of(room) == "active"


@pytest.mark.parametrize(
    ("said", "then"),
    [({"status": "rejected"}, "rejected"), ({"status": "rejected"}, VOID), (DENIES, "inactive"), (DENIES, VOID)],
    ids=["refused again", "refused in error", "denial taken back", "denied in error"],
)
async def test_a_refusal_that_is_written_again_or_taken_back_ends_nothing_that_was_given_since(
    said: Resource, then: str
) -> None:
    room = ConsentRoom()
    await room.written(a_consent(id="c-no", **said))
    room.desk.now += timedelta(minutes=5)
    await room.consented()
    kept = room.desk.held["Consent/c-no"].resource
    changes = await room.written({**kept, "status": then})
    assert changes.refuse is not None or await state_of(room) == "active"


@pytest.mark.clause("5.4.1")
async def test_a_no_inside_a_yes_is_refused_here_and_opens_nothing_where_it_was_imported() -> None:
    inside = {"provision": {**a_consent()["provision"], "provision": [{"type": "deny", "code": [{"text": "x"}]}]}}
    room = ConsentRoom()
    changes = await room.written(a_consent(id="c-new", **inside))
    assert changes.refuse is not None
    [issue] = changes.refuse.issues
    assert (issue.detail, issue.at) == ("consent.no-exceptions", "Consent.provision.provision")
    assert refusals(await room.signed(room.paper(await room.text(), **inside))) == {"consent.no-exceptions"}
    room.desk.hold(a_consent(id="c-old", **inside))
    assert await state_of(room) == "none"


@pytest.mark.parametrize("status", ["rejected", "inactive"])
@pytest.mark.parametrize(
    "members",
    [
        {"provision": {"data": [{"meaning": "instance", "reference": {"reference": "ServiceRequest/o-other"}}]}},
        {"patient": {"reference": "Patient/o-other"}},
        {"scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}},
    ],
)
async def test_a_refusal_is_not_moved_to_another_exam_or_patient(status: str, members: dict[str, Any]) -> None:
    room = ConsentRoom(a_consent(status=status))
    assert refusals(await room.written(a_consent(status=status, **members))) == {"consent.already-signed"}


async def test_who_approved_an_exception_is_not_rewritten_afterwards() -> None:
    room = a_room()
    await room.written(an_exception(an_attempt()))
    kept = room.desk.held["Consent/c-exception"].resource
    for other in (an_exception(an_attempt(), by=NURSE), a_consent(id="c-exception", extension=[])):
        after: Resource = {**kept, "extension": other["extension"]}
        assert refusals(await room.written(after)) == {"consent.already-signed"}


async def test_a_withdrawal_on_record_is_neither_rewritten_nor_removed() -> None:
    room = ConsentRoom()
    reference = f"Consent/{(await room.consented())['id']}"
    await room.withdrawn(reference)
    kept = room.desk.held[reference].resource
    bare = [one for one in kept["extension"] if one["url"] != WITHDRAWAL]
    assert refusals(await room.written({**kept, "extension": bare})) == {"consent.already-signed"}


def test_an_exception_asks_for_a_fresh_sign_in_and_its_end_does_not() -> None:
    exception = an_exception(an_attempt())
    assert exception["extension"][0]["url"] == EXCEPTION and asks_exception(exception)
    assert not asks_exception({**exception, "status": "inactive"})
    assert not asks_exception(a_consent())


@pytest.mark.parametrize("start", ["9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01", "0001-01-01T00:00:00+14:00"])
async def test_a_validity_at_the_end_of_time_is_refused_and_breaks_nothing(start: str) -> None:
    for ends in ({}, {"end": start}):
        room = ConsentRoom()
        provision = {**a_consent()["provision"], "period": {"start": start, **ends}}
        changes = await room.written(a_consent(id="c-new", provision=provision))
        assert changes.refuse is not None or await state_of(room) in ("expired", "not-yet")


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"])
async def test_a_signature_at_the_end_of_time_is_refused(when: str) -> None:
    from tests.support.consenting import a_signature

    room = ConsentRoom(now=A_NOON)
    assert refusals(await room.signed(room.paper(await room.text()), a_signature(PATIENT, when)))

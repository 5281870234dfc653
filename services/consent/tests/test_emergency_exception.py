"""Contrast without consent in an emergency: approved by who may, for a coded reason, after somebody was tried; never over a refusal."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.consents.state import ENDED_BY, EXCEPTION
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Stored, Write
from slipring_consent.consenting.exception import REASON
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.tasks import task_written
from slipring_consent.reading import instant

from tests.support.consenting import a_signature, capacity
from tests.support.contrast import a_consent, a_person, a_role, a_screening, an_egfr, an_injection, an_override
from tests.support.desk import A_NOON

from .consent_room import NURSE, ConsentRoom, refusals

HEAD = "Practitioner/o-head"
VOID = "entered-in-error"


def an_attempt(**parts: Any) -> Resource:
    said = {
        "by": {"valueReference": {"reference": NURSE}},
        "at": {"valueDateTime": instant(A_NOON - timedelta(minutes=5))},
        "whom": {"valueString": "妻子"},
        "outcome": {"valueString": "两次未接"},
        **parts,
    }
    return {"url": "attempt", "extension": [{"url": url, **value} for url, value in said.items() if value]}


def an_exception(
    *attempts: Resource,
    by: str = HEAD,
    reason: str = "relative-unreachable",
    at: str = instant(A_NOON),
    able: str = "none",
) -> Resource:
    parts: list[Resource] = [
        {"url": "approver", "valueReference": {"reference": by}},
        {"url": "reason", "valueCodeableConcept": {"coding": [{"system": REASON, "code": reason}]}},
        {"url": "approved-at", "valueDateTime": at},
        *attempts,
    ]
    policy = {
        "coding": [
            {"system": REASON.replace("emergency-exception-reason", "consent-policy"), "code": "emergency-exception"}
        ]
    }
    bare = a_consent(
        id="c-exception", policyRule=policy, extension=[{"url": EXCEPTION, "extension": parts}, capacity(able)]
    )
    return {name: value for name, value in bare.items() if name not in ("performer", "verification")}


def a_room(*holding: Resource) -> ConsentRoom:
    room = ConsentRoom(an_egfr(), a_screening(), *holding)
    room.desk.hold(a_person("o-head", "chief-physician"), source="order")
    room.desk.hold(a_role("o-head", "emergency-approver"), source="order")
    return room


@pytest.mark.clause("5.4.1")
async def test_an_approved_exception_opens_the_gate_like_a_consent() -> None:
    room = a_room()
    exception = an_exception(an_attempt())
    assert check(exception) == []
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}
    assert (await room.written(exception)).refuse is None
    assert (await contrast_written(Write("create", an_injection()), room.desk)).refuse is None
    room.desk.now = A_NOON + timedelta(hours=25)
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("exception", "codes"),
    [
        (an_exception(an_attempt(), by=NURSE), {"consent.exception-approver"}),
        (an_exception(an_attempt(), by="Practitioner/o-nobody"), {"consent.exception-approver"}),
        (an_exception(an_attempt(), by=""), {"consent.exception-approver"}),
        (an_exception(an_attempt(), at=instant(A_NOON + timedelta(hours=1))), {"consent.exception-approver"}),
        (an_exception(an_attempt(), reason="convenience"), None),
        (an_exception(), {"consent.exception-attempts"}),
        (an_exception(an_attempt(), an_attempt(outcome=None)), {"consent.exception-attempts"}),
        (an_exception(an_attempt(by=None)), {"consent.exception-attempts"}),
        (an_exception(reason="unidentified"), set()),
        (an_exception(an_attempt(), able="full"), {"consent.exception-capacity"}),
    ],
)
async def test_an_exception_that_lacks_its_part_is_refused(exception: Resource, codes: set[str] | None) -> None:
    found = refusals(await a_room().written(exception))
    assert found == codes if codes is not None else "consent.exception-reason" in found or not found


async def test_a_refusal_points_at_the_part_that_is_wrong() -> None:
    changes = await a_room().written(an_exception(by="", at="", able="full"))
    assert changes.refuse
    at = {issue.detail: issue.at for issue in changes.refuse.issues}
    part = f"Consent.extension.where(url='{EXCEPTION}').extension.where(url='%s')"
    assert at["consent.exception-approver"] == part % "approver"
    assert at["consent.exception-attempts"] == part % "attempt"
    assert at["consent.exception-capacity"].endswith("/capacity')")
    unapproved = await a_room().written(an_exception(an_attempt(), at=instant(A_NOON + timedelta(hours=1))))
    assert unapproved.refuse and [one.at for one in unapproved.refuse.issues] == [part % "approved-at"]


async def test_a_reason_of_no_code_system_of_ours_is_none() -> None:
    exception = an_exception(an_attempt())
    exception["extension"][0]["extension"][1] = {"url": "reason", "valueCodeableConcept": {"text": "busy"}}
    assert refusals(await a_room().written(exception)) == {"consent.exception-reason"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("how", ["refused", "withdrawn"])
async def test_an_emergency_does_not_undo_what_the_patient_decided_while_he_could(how: str) -> None:
    room = a_room()
    consent = await room.consented()
    if how == "refused":
        await room.signed(room.paper(await room.text(), status="rejected"))
    else:
        await room.withdrawn(f"Consent/{consent['id']}")
    assert refusals(await room.written(an_exception(an_attempt()))) == {"consent.exception-refused"}


async def test_a_refusal_that_comes_later_ends_the_exception() -> None:
    room = a_room()
    await room.written(an_exception(an_attempt()))
    await room.signed(room.paper(await room.text(), status="rejected"))
    assert room.desk.held["Consent/c-exception"].resource["status"] == "inactive"
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}


async def passed_first(room: ConsentRoom) -> Stored:
    """A physician passes the gate without consent; the Task that waits for the approval."""
    passed = an_injection(extension=an_override("emergency-no-capacity"))
    changes = await contrast_written(Write("create", passed), room.desk)
    assert changes.refuse is None
    room.desk.carry_out(changes, passed)
    [due] = await room.desk.search("Task?code=emergency-approval&status=requested")
    return due


async def test_who_had_to_pass_the_gate_first_leaves_the_approval_due_until_it_is_on_record() -> None:
    room = a_room()
    due = await passed_first(room)
    assert (due.resource["requester"], check(due.resource)) == ({"reference": "Practitioner/o-physician"}, [])
    await room.written(an_exception(an_attempt()))
    [done] = await room.desk.search("Task?code=emergency-approval")
    assert done.resource["status"] == "completed"
    assert done.resource["output"][0]["valueReference"] == {"reference": "Consent/c-exception"}


async def test_an_exception_that_is_signed_completes_what_waited_for_it_too() -> None:
    room = a_room()
    due = await passed_first(room)
    room.desk.hold({**due.resource, "status": "in-progress"})
    [exception, able] = an_exception(an_attempt())["extension"]
    paper = room.paper(await room.text(), performer=[{"reference": HEAD}], extension=[exception, able])
    assert refusals(await room.signed(paper, a_signature(HEAD, room.when))) == set()
    [done] = await room.desk.search("Task?code=emergency-approval")
    assert done.resource["status"] == "completed"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "by_hand",
    [
        {"status": "completed"},
        {"code": {"text": "something else"}},
        {"focus": {"reference": "ServiceRequest/o-other"}},
        {"output": [{"type": {"text": "consent"}, "valueString": "by telephone"}]},
    ],
)
async def test_an_approval_that_is_due_is_not_settled_by_hand(by_hand: Resource) -> None:
    room = a_room()
    due = await passed_first(room)
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", {**due.resource, **by_hand}, due), room.desk)
    assert [issue.detail for issue in refused.value.issues] == ["consent.approval-by-exception"]
    with pytest.raises(FhirError):
        await task_written(Write("delete", due.resource, due), room.desk)
    with pytest.raises(FhirError):
        await task_written(Write("create", {**due.resource, "id": "c-other", "status": "completed"}), room.desk)
    seen_to = {**due.resource, "status": "accepted", "owner": {"reference": HEAD}}
    assert (await task_written(Write("update", seen_to, due), room.desk)).refuse is None


@pytest.mark.clause("5.4.1")
async def test_a_refusal_that_was_a_mistake_took_nothing_back_and_blocks_no_exception() -> None:
    room = a_room()
    before = await room.consented()
    mistaken = room.kept(await room.signed(room.paper(await room.text(), status="rejected")))
    ended = room.desk.held[f"Consent/{before['id']}"].resource
    assert ended["status"] == "inactive" and check(ended) == []
    assert refusals(await room.written(an_exception(an_attempt()))) == {"consent.exception-refused"}
    assert (await room.verified(f"Consent/{before['id']}"))["verdict"] == "stands"
    assert (await room.written({**room.desk.held[f"Consent/{mistaken['id']}"].resource, "status": VOID})).refuse is None
    [issue] = (await contrast_written(Write("create", an_injection()), room.desk)).refuse.issues  # type: ignore[union-attr]
    assert issue.detail == "consent.consent-valid" and "sign again" in issue.en, "it says how to get one"
    assert (await room.written(an_exception(an_attempt()))).refuse is None
    await room.written({**room.desk.held["Consent/c-exception"].resource, "status": VOID})
    await room.consented()
    assert (await contrast_written(Write("create", an_injection()), room.desk)).refuse is None


async def test_nobody_says_by_hand_that_a_refusal_ended_a_consent() -> None:
    room = a_room(a_consent())
    by_hand = [{"url": ENDED_BY, "valueReference": {"reference": "Consent/c-void"}}]
    forged = a_consent(status="inactive", extension=by_hand)
    assert refusals(await room.written(forged)) == {"consent.ended-by-refusal"}
    await room.written(a_consent(id="c-no", status="rejected"))
    bare = {name: value for name, value in room.desk.held["Consent/c-consent"].resource.items() if name != "extension"}
    assert refusals(await room.written(bare)) == {"consent.ended-by-refusal"}


async def test_a_consent_that_denies_is_a_refusal_to_an_exception_too() -> None:
    denied = {"provision": {**a_consent()["provision"], "type": "deny"}}
    assert refusals(await a_room(a_consent(**denied)).written(an_exception(an_attempt()))) == {
        "consent.exception-refused"
    }

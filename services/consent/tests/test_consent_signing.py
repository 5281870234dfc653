"""A consent is signed by who may, after it was explained by who may, over the text of this very exam."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring_consent.consenting.signature import SIGNATURE_KIND
from slipring_consent.consenting.statement import CONSENT_SEAL, CONSENT_SIGNATURE
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.signature_records import record_written
from slipring_consent.reading import extension_value, instant

from tests.support.consenting import a_png, a_signature, capacity, named, representation
from tests.support.contrast import EXAM, a_consent, a_person, a_request, a_screening, an_egfr, an_injection
from tests.support.desk import A_NOON

from .consent_room import MOTHER, NURSE, PATIENT, ConsentRoom, refusals

GUARDIAN = f"RelatedPerson/{MOTHER['id']}"
WHEN = instant(A_NOON)


def by_guardian(**members: Any) -> Resource:
    return {"performer": [{"reference": GUARDIAN}], **members}


@pytest.mark.clause("5.4.1")
async def test_a_signed_consent_is_active_for_a_day_and_opens_the_gate() -> None:
    room = ConsentRoom(an_egfr(), a_screening())
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}
    consent = await room.consented()
    assert (consent["status"], consent["dateTime"]) == ("active", WHEN)
    assert consent["provision"]["period"] == {"start": WHEN, "end": instant(A_NOON + timedelta(hours=24))}
    assert (await contrast_written(Write("create", an_injection()), room.desk)).refuse is None


@pytest.mark.clause("5.4.1")
async def test_the_record_names_the_version_the_text_and_every_signature_and_says_what_a_pen_is() -> None:
    room = ConsentRoom()
    text = await room.text()
    beside = {
        "clinician": ("Signature", named(NURSE, WHEN)),
        "witness": ("Signature", a_signature("Practitioner/o-physician", WHEN)),
    }
    changes = await room.signed(room.paper(text), **beside)
    consent = room.kept(changes)
    record = next(save.resource for save in changes.save if save.resource["resourceType"] == "Provenance")
    assert check(record) == [] and check(consent) == []
    assert record["target"] == [{"reference": f"Consent/{consent['id']}/_history/1"}]
    assert record["entity"][0]["what"] == {"reference": f"DocumentReference/{text['id']}"}
    kinds = [extension_value(one, SIGNATURE_KIND)["coding"][0]["code"] for one in record["signature"]]
    assert kinds == ["pen-image", "named", "pen-image"]
    assert "不是密码学签名" in extension_value(record["signature"][0], SIGNATURE_KIND)["text"]
    assert [one["who"]["reference"] for one in record["agent"]] == [PATIENT, NURSE, "Practitioner/o-physician"]
    assert extension_value(record, CONSENT_SEAL)
    assert extension_value(consent, CONSENT_SIGNATURE) == {"reference": f"Provenance/{record['id']}"}


@pytest.mark.clause("5.4.1")
async def test_a_signed_refusal_ends_what_was_given_and_closes_the_gate() -> None:
    room = ConsentRoom(an_egfr(), a_screening())
    await room.consented()
    changes = await room.signed(room.paper(await room.text(), status="rejected"))
    assert changes.refuse is None
    states = {one.resource["status"] for one in await room.desk.search(f"Consent?data={EXAM}")}
    assert states == {"rejected", "inactive"}
    assert refusals(await contrast_written(Write("create", an_injection()), room.desk)) == {"consent.consent-valid"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("born", "members", "code"),
    [
        ("2010-03-02", {}, "consent.minor-guardian"),
        ("2008-03-03", {}, "consent.minor-guardian"),  # eighteen tomorrow
        ("2008-03-02", {}, None),  # eighteen today
        ("2009-03-02", {"extension": [capacity("own-labour")]}, None),
        ("2012-03-02", {"extension": [capacity("own-labour")]}, "consent.minor-guardian"),
        ("2010-03-02", {"extension": [capacity("full")]}, "consent.minor-guardian"),
        ("2010-03-02", by_guardian(), None),
        ("1960", {"extension": []}, "consent.minor-guardian"),  # a year is asked about
        (None, {"extension": []}, "consent.minor-guardian"),
        (None, {"extension": [capacity("full")]}, None),
        ("1960-05-01", {"extension": [capacity("none")]}, "consent.capacity"),
        ("1960-05-01", by_guardian(extension=[capacity("none")]), "consent.representation"),
        ("1960-05-01", by_guardian(extension=[capacity("none"), representation("incapacity")]), None),
        ("1960-05-01", by_guardian(extension=[representation("minor")]), "consent.representation"),
        ("1960-05-01", by_guardian(extension=[representation("authorised")]), None),
    ],
)
async def test_who_may_sign_for_himself_and_for_whom_another_signs(
    born: str | None, members: dict[str, Any], code: str | None
) -> None:
    room = ConsentRoom(birthDate=born)
    paper = room.paper(await room.text(), **members)
    signer = paper["performer"][0]["reference"]
    assert refusals(await room.signed(paper, a_signature(signer, WHEN))) == ({code} if code else set())


async def test_a_guardians_consent_holds_the_childs_assent_and_says_for_whom_it_is() -> None:
    room = ConsentRoom(birthDate="2014-01-01")
    paper = room.paper(await room.text(), **by_guardian())
    assent = ("Signature", a_signature(PATIENT, WHEN))
    changes = await room.signed(paper, a_signature(GUARDIAN, WHEN), assent=assent)
    record = next(save.resource for save in changes.save if save.resource["resourceType"] == "Provenance")
    assert [one["type"]["coding"][0]["code"] for one in record["agent"]] == ["GUARD", "PAT"]
    assert record["agent"][0]["onBehalfOf"] == {"reference": PATIENT}
    alone = room.paper(await room.text(), **by_guardian())
    assert refusals(await room.signed(alone, a_signature(PATIENT, WHEN))) == {"consent.sign-who"}


async def test_another_childs_mother_signs_for_nobody_here() -> None:
    room = ConsentRoom(birthDate="2014-01-01")
    room.desk.hold({**MOTHER, "patient": {"reference": "Patient/o-other"}}, source="order")
    paper = room.paper(await room.text(), **by_guardian())
    assert refusals(await room.signed(paper, a_signature(GUARDIAN, WHEN))) == {"consent.signer"}


def explained(by: str, minutes: int) -> dict[str, Any]:
    at = instant(A_NOON + timedelta(minutes=minutes))
    url = f"{CANONICAL}/StructureDefinition/explained-by"
    said = {"verified": True, "verificationDate": at, "extension": [{"url": url, "valueReference": {"reference": by}}]}
    return {"verification": [said]}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("members", "codes"),
    [
        (explained(NURSE, -30), set()),
        (explained("Practitioner/o-physician", -1), set()),
        (explained("Practitioner/o-junior", -1), set()),
        (explained("Practitioner/o-technologist", -5), {"consent.informer"}),
        (explained("Practitioner/o-nobody", -5), {"consent.informer"}),
        (explained(NURSE, 30), {"consent.explained-first"}),
        ({"verification": []}, {"consent.explained-first"}),
    ],
)
async def test_a_nurse_or_physician_explains_before_it_is_signed(members: dict[str, Any], codes: set[str]) -> None:
    room = ConsentRoom()
    room.desk.hold(a_person("o-technologist", "senior-technologist"), source="order")
    assert refusals(await room.signed(room.paper(await room.text(), **members))) == codes


@pytest.mark.clause("5.4.1")
async def test_the_text_of_another_exam_patient_or_of_nowhere_is_signed_by_nobody() -> None:
    room = ConsentRoom()
    text = await room.text()
    room.desk.hold(a_request(id="o-second"), source="order")
    second = [{"meaning": "instance", "reference": {"reference": "ServiceRequest/o-second"}}]
    other = room.paper(text, provision={"type": "permit", "data": second})
    assert refusals(await room.signed(other)) == {"consent.sign-text"}
    both = [*room.paper(text)["provision"]["data"], *second]
    assert refusals(await room.signed(room.paper(text, provision={"data": both}))) == {
        "consent.sign-text",
        "consent.one-exam",
    }
    assert refusals(await room.signed(room.paper({"id": "c-nowhere"}))) == {"consent.sign-text"}
    room.desk.hold({**text, "subject": {"reference": "Patient/o-other"}})
    assert refusals(await room.signed(room.paper(text))) == {"consent.sign-text"}


async def test_a_text_that_was_altered_or_taken_back_is_not_signed() -> None:
    room = ConsentRoom()
    text = await room.text()
    for changed in (
        {"status": "superseded"},
        {"content": [{"attachment": {**text["content"][0]["attachment"], "data": "b3RoZXI="}}]},
    ):
        room.desk.hold({**text, **changed})
        assert refusals(await room.signed(room.paper(text))) == {"consent.sign-text"}


STROKES = '<path d="M1 1 L4 8 L8 2" stroke="black" fill="none"/>'


def an_svg(inside: str, more: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"{more}>{inside}</svg>'.encode()


@pytest.mark.parametrize(
    ("data", "form", "fault"),
    [
        (a_png(), "image/png", None),
        (an_svg(STROKES), "image/svg+xml", None),
        (a_png(strokes=False), "image/png", "blank"),
        (a_png(size=(4000, 1200)), "image/png", "too-large"),
        (b"\x89PNG" + b"x" * 300_000, "image/png", "too-large"),
        (a_png()[:90], "image/png", "unreadable"),
        (b"GIF89a", "image/png", "unreadable"),
        (a_png(), "image/gif", "format"),
        (an_svg(""), "image/svg+xml", "blank"),
        (an_svg(STROKES, ' onload="x()"'), "image/svg+xml", "not-strokes"),
        (an_svg(f"<script>x()</script>{STROKES}"), "image/svg+xml", "not-strokes"),
        (an_svg(f'<image href="http://elsewhere.example/"/>{STROKES}'), "image/svg+xml", "not-strokes"),
        (an_svg(f'<g fill="url(http://elsewhere.example/a#b)">{STROKES}</g>'), "image/svg+xml", "not-strokes"),
        (an_svg(f'<g stroke="#1a2b3c" fill="rgb(1, 2, 3)">{STROKES}</g>'), "image/svg+xml", None),
        (an_svg("<g>" * 2000 + STROKES + "</g>" * 2000), "image/svg+xml", "not-strokes"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + an_svg(STROKES), "image/svg+xml", "not-strokes"),
        (an_svg(STROKES).decode().encode("utf-16"), "image/svg+xml", "unreadable"),
        (b"", "image/png", "data"),
    ],
)
async def test_a_signature_by_pen_is_strokes_and_nothing_else(data: bytes, form: str, fault: str | None) -> None:
    room = ConsentRoom()
    signature = a_signature(PATIENT, WHEN, data, form)
    if not data:
        del signature["data"]
    changes = await room.signed(room.paper(await room.text()), signature)
    assert refusals(changes) == ({f"consent.signature-{fault}"} if fault else set())


async def test_a_signature_of_tomorrow_is_refused_and_nothing_is_said_of_what_it_shows() -> None:
    room = ConsentRoom()
    tomorrow = a_signature(PATIENT, instant(A_NOON + timedelta(days=1)))
    changes = await room.signed(room.paper(await room.text()), tomorrow)
    assert "consent.signature-when" in refusals(changes) and changes.refuse is not None
    assert tomorrow["data"][:40] not in str(changes.refuse.issues) + str(changes.refuse)


async def test_a_draft_becomes_the_signed_consent_and_is_signed_once() -> None:
    room = ConsentRoom()
    draft = {**room.paper(await room.text()), "id": "c-draft"}
    room.desk.hold(draft)
    changes = await room.signed(draft)
    assert next(save.replaces for save in changes.save if save.resource["id"] == "c-draft") == 1
    again = await room.signed({**draft, "status": "proposed"})
    assert again.refuse is not None and again.refuse.status == 409


async def test_nobody_says_by_hand_that_a_consent_was_signed_here_or_alters_one_that_was() -> None:
    room = ConsentRoom()
    forged = {"url": CONSENT_SIGNATURE, "valueReference": {"reference": "Provenance/c-1"}}
    assert refusals(await room.written(a_consent(extension=[forged]))) == {"consent.signature-by-operation"}
    consent = await room.consented()
    kept = room.desk.held[f"Consent/{consent['id']}"].resource
    assert refusals(await room.written({**kept, "verification": []})) == {"consent.already-signed"}
    unmarked = [one for one in kept["extension"] if one["url"] != CONSENT_SIGNATURE]
    assert refusals(await room.written({**kept, "extension": unmarked})) == {"consent.signature-by-operation"}
    other_capacity = [*(one for one in kept["extension"] if one["url"] == CONSENT_SIGNATURE), capacity("none")]
    assert refusals(await room.written({**kept, "extension": other_capacity})) == {"consent.already-signed"}
    record = (await room.desk.search(f"Provenance?target=Consent/{consent['id']}"))[0]
    with pytest.raises(Exception, match="422"):
        await record_written(Write("update", {**record.resource, "signature": []}, record), room.desk)

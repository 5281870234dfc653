"""A certificate taken back signs no more; what it signed before stands, also under an authority that was replaced."""

import base64
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.outcome import FhirError
from slipring.signing.jws import jws_sha256
from slipring.signing.proof import opened
from slipring.signing.revocation import entries, read_lists
from slipring.signing.rotation import rotate_root
from slipring.signing.verdict import verdict
from slipring_report.certificates.vocabulary import REVOKED
from slipring_report.handlers import revoking
from slipring_report.handlers.proving import proof_asked
from slipring_report.handlers.verifying import verification_asked

sys.path.insert(0, str(Path(__file__).parent))
from certificate_room import QUALITY, CertificateRoom, says
from reading_room import AUTHOR, REVIEWER, named, refused


@pytest.fixture
def room(tmp_path: Path) -> CertificateRoom:
    return CertificateRoom(tmp_path)


async def test_a_revoked_certificate_signs_no_more_and_names_what_falls(room: CertificateRoom) -> None:
    certificate = await room.certified(AUTHOR)
    await room.draft()
    assert (await room.sign(AUTHOR, "author")).refuse is None
    room.desk.now += timedelta(minutes=1)
    changes = await room.revoke(AUTHOR, certificate)
    assert [p["name"] for p in (changes.answer or {})["parameter"]] == ["certificate"], "nothing was signed since"
    assert (await room.verified())[0], "what was signed before stands"
    await room.draft(conclusion="Embolism.")
    assert refused(await room.sign(AUTHOR, "author")) == {"signature-certificate-revoked"}
    with pytest.raises(FhirError) as refusal:
        await room.revoke(QUALITY, certificate)
    assert says(refusal) == (409, "certificate-taken-back")


async def test_a_key_lost_yesterday_takes_todays_signature_with_it(room: CertificateRoom) -> None:
    certificate = await room.certified(AUTHOR)
    await room.draft()
    await room.sign(AUTHOR, "author")
    before = (room.desk.now - timedelta(minutes=1)).isoformat()
    changes = await room.revoke(QUALITY, certificate, since=before)
    [fallen] = [
        p["valueReference"]["reference"] for p in (changes.answer or {})["parameter"] if p["name"] == "signature"
    ]
    assert fallen.startswith("Provenance/")
    valid, [signature] = await room.verified()
    assert not valid and signature["reason"]["valueString"] == "certificate-revoked"


async def test_a_certificate_is_taken_back_by_its_holder_or_who_approves(room: CertificateRoom) -> None:
    certificate = await room.certified(AUTHOR)
    tomorrow = (room.desk.now + timedelta(days=1)).isoformat()
    for person, reason, since, expected in (
        (REVIEWER, "keyCompromise", "", (422, "staff.role")),
        (AUTHOR, "bored", "", (400, "revocation-reason")),
        (AUTHOR, "keyCompromise", tomorrow, (400, "revocation-since")),
        (AUTHOR, "keyCompromise", "2020-01-01T00:00:00Z", (400, "revocation-since")),
        (AUTHOR, "keyCompromise", "yesterday", (400, "revocation-since")),
    ):
        with pytest.raises(FhirError) as refusal:
            await room.revoke(person, certificate, reason, since)
        assert says(refusal) == expected
    assert (await room.revoke(QUALITY, certificate, "affiliationChanged")).save


async def test_the_list_is_signed_afresh_and_holds_what_was_taken_back(room: CertificateRoom) -> None:
    kept, lost = await room.certified(REVIEWER), await room.certified(AUTHOR)
    await room.revoke(AUTHOR, lost)
    rotate_root(room.folder / "signing", now=room.desk.now)
    answer = (await room.act(revoking.list_asked, kept)).answer
    new, old = read_lists(named(answer)["list"]["valueString"].encode())
    serials = {each["value"] for each in room.desk.held[lost].resource["identifier"]}
    [(serial, taken)] = entries(old).items()
    assert f"{serial:x}" in serials and taken.reason == "keyCompromise" and entries(new) == {}
    assert old.is_signature_valid(room.authority.key.public_key())


async def test_after_a_new_root_old_signatures_stand_and_new_certificates_count(room: CertificateRoom) -> None:
    await room.certified(AUTHOR)
    await room.draft()
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    rotate_root(room.folder / "signing", now=room.desk.now)
    await room.certified(REVIEWER)
    assert (await room.sign(REVIEWER, "reviewer", jws_sha256(first))).refuse is None
    assert (await room.verified())[0]


async def test_verification_goes_on_after_everything_was_taken_back(room: CertificateRoom) -> None:
    certificate = await room.certified(AUTHOR)
    await room.draft()
    await room.sign(AUTHOR, "author")
    room.desk.now += timedelta(days=1)
    await room.revoke(QUALITY, certificate, "affiliationChanged")
    room.desk.now += timedelta(days=1000)
    answer = (await room.call(verification_asked)).answer
    assert named(answer)["valid"]["valueBoolean"] is True


async def test_who_verifies_elsewhere_learns_what_was_taken_back(room: CertificateRoom) -> None:
    """The proof holds the lists that our authority signs, so that no server is asked."""
    certificate = await room.certified(AUTHOR)
    await room.draft()
    await room.sign(AUTHOR, "author")
    signed = room.desk.now
    room.desk.now += timedelta(hours=1)
    await room.revoke(AUTHOR, certificate)
    assert "certificate-revoked" not in await against_elsewhere(room), "what was signed before stands"
    document = room.desk.held[certificate].resource
    taken = next(each for each in document["extension"] if each["url"] == REVOKED)
    taken["extension"][0]["valueInstant"] = (signed - timedelta(minutes=1)).isoformat()
    assert "certificate-revoked" in await against_elsewhere(room)


async def against_elsewhere(room: CertificateRoom) -> set[str]:
    answer = (await room.call(proof_asked)).answer
    assert answer is not None
    found = verdict(opened(base64.b64decode(answer["data"])), (room.folder / "signing/root.pem").read_bytes())
    return {reason.code for judgement in found.judgements for reason in judgement.reasons}


async def test_a_list_that_cannot_be_read_is_told_and_no_list_is_made(room: CertificateRoom) -> None:
    (room.folder / "signing/crl.pem").write_text("nothing of the kind")
    with pytest.raises(FhirError) as refusal:
        await room.act(revoking.list_asked, "DocumentReference/none")
    assert says(refusal) == (503, "revocation-list-unreadable")

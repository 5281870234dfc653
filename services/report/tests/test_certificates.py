"""A signing certificate is issued on proof of possession and the approval of a second person (CL02-A011:5.7.1)."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Due, Write
from slipring.signing.certificate import make_key_and_csr
from slipring.signing.jws import jws_sha256
from slipring_report.certificates.register import certificates_of
from slipring_report.handlers import certificates, revoking
from slipring_report.settings import ReportSettings

sys.path.insert(0, str(Path(__file__).parent))
from certificate_room import LEAD, QUALITY, CertificateRoom, says
from reading_room import AUTHOR, REVIEWER, TWIN, a_role, named


@pytest.fixture
def room(tmp_path: Path) -> CertificateRoom:
    return CertificateRoom(tmp_path)


@pytest.mark.clause("5.7.1")
async def test_a_person_asks_another_approves_and_both_are_on_record(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    assert room.task()["for"] == room.task()["requester"] == {"reference": AUTHOR}
    changes = await room.decide(QUALITY)
    task = room.task()
    assert task["status"] == "completed" and task["owner"] == {"reference": QUALITY}
    [kept] = await certificates_of(AUTHOR, room.desk)
    assert kept.resource["author"] == [{"reference": AUTHOR}] and kept.resource["authenticator"]["reference"] == QUALITY
    period = kept.resource["context"]["period"]
    assert datetime.fromisoformat(period["end"]) == room.desk.now + timedelta(days=730)
    leaf = x509.load_pem_x509_certificates(named(changes.answer)["chain"]["valueString"].encode())[0]
    assert f"{leaf.serial_number:x}" in {each["value"] for each in kept.resource["identifier"]}


async def test_what_was_issued_signs_a_report(room: CertificateRoom) -> None:
    await room.certified(AUTHOR)
    await room.certified(REVIEWER)
    await room.draft()
    first = await room.jws(AUTHOR, "author")
    assert (await room.sign(AUTHOR, "author", jws=first)).refuse is None
    assert (await room.sign(REVIEWER, "reviewer", jws_sha256(first))).refuse is None
    assert room.status == "final" and (await room.verified())[0]


async def test_nobody_approves_for_himself(room: CertificateRoom) -> None:
    """Whatever he may approve for others: the lead of diagnosis signs reports, too."""
    await room.ask(LEAD)
    with pytest.raises(FhirError) as refusal:
        await room.decide(LEAD)
    assert says(refusal) == (403, "certificate-second-person") and room.task()["status"] == "requested"
    assert (await room.decide(QUALITY)).refuse is None


async def test_one_licence_under_two_records_is_one_person(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    room.desk.hold(a_role(TWIN, "quality-manager"), source="elsewhere")
    with pytest.raises(FhirError) as refusal:
        await room.decide(TWIN)
    assert says(refusal) == (403, "certificate-second-person")


async def test_only_who_may_approve_certificates_does(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    with pytest.raises(FhirError) as refusal:
        await room.decide(REVIEWER)
    assert says(refusal) == (422, "staff.role")
    with pytest.raises(FhirError) as refusal:
        await room.decide(None)
    assert says(refusal) == (422, "certificate-person")


async def test_a_request_is_refused_with_a_reason_and_then_decided(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    with pytest.raises(FhirError) as refusal:
        await room.decide(QUALITY, "refuse")
    assert says(refusal) == (400, "certificate-decision")
    await room.decide(QUALITY, "refuse", "He leaves the department next week.")
    assert room.task()["status"] == "rejected" and "leaves" in room.task()["statusReason"]["text"]
    with pytest.raises(FhirError) as refusal:
        await room.decide(QUALITY)
    assert says(refusal) == (409, "certificate-decided")
    assert await certificates_of(AUTHOR, room.desk) == []


def a_bent_request() -> str:
    _, csr = make_key_and_csr("Li Na")
    der = bytearray(x509.load_pem_x509_csr(csr).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()


def an_rsa_request() -> str:
    key = rsa.generate_private_key(65537, 2048)
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("csr", "code"),
    [
        (a_bent_request(), "certificate-request-unproved"),
        ("nothing of the kind", "certificate-request-unreadable"),
        (an_rsa_request(), "certificate-key-unfit"),
    ],
)
async def test_a_request_without_proof_or_with_an_unfit_key_is_not_taken(
    room: CertificateRoom, csr: str, code: str
) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.ask(AUTHOR, csr)
    assert says(refusal) == (422, code)


@pytest.mark.parametrize(
    ("person", "members", "code"),
    [
        (AUTHOR, {"for": {"reference": REVIEWER}}, "certificate-for-oneself"),
        (AUTHOR, {"status": "completed"}, "certificate-for-oneself"),
        (None, {}, "certificate-person"),
        ("Practitioner/o-nobody", {}, "certificate-holder-unknown"),
    ],
)
async def test_a_certificate_is_asked_for_by_oneself(
    room: CertificateRoom, person: str | None, members: dict[str, Any], code: str
) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.ask(person, **members)
    assert says(refusal) == (422, code)


async def test_a_request_is_cancelled_by_its_asker_and_otherwise_not_written(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    assert (await room.rewritten(AUTHOR, status="cancelled")).nothing
    for person, members in (
        (REVIEWER, {"status": "cancelled"}),
        (AUTHOR, {"status": "completed"}),
        (AUTHOR, {"status": "cancelled", "owner": {"reference": QUALITY}}),
        (AUTHOR, {"input": []}),
    ):
        with pytest.raises(FhirError) as refusal:
            await room.rewritten(person, **members)
        assert says(refusal) == (422, "certificate-request-by-operation")


async def test_a_certificate_is_not_written_by_hand(room: CertificateRoom) -> None:
    certificate = await room.certified(AUTHOR)
    stored = room.desk.held[certificate]
    forged = {**stored.resource, "subject": {"reference": REVIEWER}}
    for write in (Write("update", forged, stored), Write("create", forged), Write("delete", stored.resource, stored)):
        with pytest.raises(FhirError) as refusal:
            await certificates.document_written(write, room.desk)
        assert says(refusal) == (422, "certificate-by-operation")


def due(room: CertificateRoom, certificate: str) -> Due:
    return Due(certificates.ENDING, certificate, certificates.ending_timer(certificate), room.desk.now, {})


async def test_the_holder_is_told_before_a_certificate_ends_and_a_new_one_answers_it(room: CertificateRoom) -> None:
    await room.ask(AUTHOR)
    [wake] = (await room.decide(QUALITY)).wake
    assert wake.after == timedelta(days=700)
    room.desk.now += wake.after
    changes = await certificates.certificate_ending(due(room, wake.subject), room.desk)
    [told] = [save.resource for save in changes.save]
    assert told["owner"] == {"reference": AUTHOR} and told["code"]["coding"][0]["code"] == "certificate-renewal"
    room.desk.carry_out(changes)
    room.desk.held.pop("Task/r-request")
    later = await room.certified(AUTHOR)
    assert room.desk.held[f"Task/{told['id']}"].resource["status"] == "completed"
    assert (await certificates.certificate_ending(due(room, wake.subject), room.desk)).nothing, "he has a later one"
    await room.revoke(AUTHOR, later)
    assert (await certificates.certificate_ending(due(room, later), room.desk)).nothing, "it was taken back"


async def test_without_a_trusted_key_here_nothing_is_issued(room: CertificateRoom, tmp_path: Path) -> None:
    outside = CertificateRoom(tmp_path / "outside")
    await room.ask(AUTHOR)
    for settings in (
        ReportSettings(trust=room.desk.settings.trust, signing_folder=tmp_path / "nowhere"),
        ReportSettings(trust=outside.desk.settings.trust, signing_folder=room.desk.settings.signing_folder),
    ):
        room.desk.settings = settings
        with pytest.raises(FhirError) as refusal:
            await room.decide(QUALITY)
        assert says(refusal) == (503, "no-issuing-key")
    assert named((await room.act(revoking.list_asked, "DocumentReference/none")).answer)["list"]

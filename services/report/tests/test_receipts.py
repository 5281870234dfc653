"""Each signature carries the service's seal with the time at which its key is judged."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from slipring.fhir.outcome import FhirError
from slipring.signing.certificate import issue
from slipring.signing.jws import jws_sha256, sign_payload
from slipring.signing.receipt import SIGNATURE_SEAL
from slipring_report.handlers.verifying import verification_asked
from slipring_report.settings import ReportSettings

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REVIEWER, ReadingRoom, refused


@pytest.fixture
def room(tmp_path: Path) -> ReadingRoom:
    return ReadingRoom(tmp_path)


async def signed_once(room: ReadingRoom) -> str:
    await room.draft()
    jws = await room.jws(AUTHOR, "author")
    assert (await room.sign(AUTHOR, "author", jws=jws)).refuse is None
    return jws


def the_provenance(room: ReadingRoom) -> dict[str, Any]:
    return next(s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Provenance")


async def test_the_first_signature_is_sealed_before_anything_is_released(room: ReadingRoom) -> None:
    await signed_once(room)
    [seal] = [e["valueString"] for e in the_provenance(room)["extension"] if e["url"] == SIGNATURE_SEAL]
    assert ".." in seal
    valid, [signature] = await room.verified()
    assert valid and signature["sealed"]["valueBoolean"] is True


@pytest.mark.parametrize("change", ["recorded", "who", "role", "form"])
async def test_what_the_seal_binds_cannot_be_altered(room: ReadingRoom, change: str) -> None:
    """The time decides whether a key was valid: somebody who moves it in the database is found out."""
    await signed_once(room)
    kept = the_provenance(room)
    if change == "recorded":
        kept["recorded"] = kept["recorded"].replace("04:00:01", "04:00:02")
    elif change == "who":
        kept["signature"][0]["who"]["reference"] = REVIEWER
    elif change == "role":
        kept["agent"][0]["role"][0]["coding"][0]["code"] = "chief"
    else:
        kept["extension"][0]["extension"][1]["valueString"] = "0" * 64
    valid, [signature] = await room.verified()
    assert not valid and not signature["valid"]["valueBoolean"]
    _, parts = await reasons(room)
    assert "seal-payload-differs" in parts


async def reasons(room: ReadingRoom) -> tuple[bool, set[str]]:
    answer = (await room.call(verification_asked)).answer
    assert answer is not None
    signatures = [p["part"] for p in answer["parameter"] if p["name"] == "signature"]
    return answer["parameter"][0]["valueBoolean"], {
        part["valueString"] for parts in signatures for part in parts if part["name"] == "reason"
    }


async def test_a_signature_of_an_earlier_release_has_no_seal_and_still_verifies(room: ReadingRoom) -> None:
    await signed_once(room)
    kept = the_provenance(room)
    kept["extension"] = [e for e in kept["extension"] if e["url"] != SIGNATURE_SEAL]
    valid, [signature] = await room.verified()
    assert valid and signature["sealed"]["valueBoolean"] is False


async def test_a_signature_stays_valid_when_its_certificate_has_ended(room: ReadingRoom) -> None:
    await signed_once(room)
    room.desk.now += timedelta(days=3000)
    assert (await reasons(room)) == (True, set())
    late = await room.jws(REVIEWER, "reviewer", "0" * 64)
    assert "signature-certificate-expired" in refused(await room.sign(REVIEWER, "reviewer", jws=late))


async def test_a_certificate_that_begins_tomorrow_signs_nothing_today(room: ReadingRoom) -> None:
    await room.draft()
    room.keys[AUTHOR] = a_signer(room, ec.generate_private_key(ec.SECP256R1()), AUTHOR, timedelta(days=1))
    assert refused(await room.sign(AUTHOR, "author")) == {"signature-certificate-not-yet-valid"}


def a_signer(room: ReadingRoom, key: Any, person: str, later: timedelta = timedelta()) -> tuple[bytes, bytes]:
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    asked = csr.public_bytes(serialization.Encoding.PEM)
    return pem, issue(room.authority, asked, person, "Li Na", now=room.desk.now + later)


def a_list(room: ReadingRoom, person: str, at: timedelta, path: Path) -> Path:
    """The authority's list with one certificate taken back, some time after now."""
    chain = x509.load_pem_x509_certificates(room.key_of(person)[1])
    signer = serialization.load_pem_private_key(room.authority.key_pem, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(chain[0].serial_number)
        .revocation_date(room.desk.now + at)
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .build()
    )
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(chain[0].issuer)
        .last_update(room.desk.now)
        .next_update(room.desk.now + timedelta(days=7))
        .add_revoked_certificate(entry)
        .sign(signer, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def with_settings(room: ReadingRoom, **more: Any) -> None:
    room.desk.settings = ReportSettings(trust=room.desk.settings.trust, **more)


async def test_a_revoked_certificate_signs_no_more_and_what_it_signed_before_stands(
    room: ReadingRoom, tmp_path: Path
) -> None:
    first = await signed_once(room)
    with_settings(room, revoked=(a_list(room, REVIEWER, timedelta(0), tmp_path / "crl.pem"),))
    chained = await room.jws(REVIEWER, "reviewer", jws_sha256(first))
    assert refused(await room.sign(REVIEWER, "reviewer", jws=chained)) == {"signature-certificate-revoked"}
    with_settings(room, revoked=(a_list(room, AUTHOR, timedelta(seconds=1), tmp_path / "crl.pem"),))
    assert (await reasons(room)) == (True, set())
    with_settings(room, revoked=(a_list(room, AUTHOR, timedelta(minutes=-1), tmp_path / "crl.pem"),))
    assert (await reasons(room)) == (False, {"certificate-revoked"})


async def test_a_list_that_another_authority_signed_revokes_nothing(room: ReadingRoom, tmp_path: Path) -> None:
    await signed_once(room)
    other = ReadingRoom(tmp_path / "other")
    stranger = a_list(other, AUTHOR, timedelta(days=-1), tmp_path / "stranger.pem")
    with_settings(room, revoked=(stranger,))
    assert (await reasons(room)) == (True, set())


@pytest.mark.parametrize("content", [None, b"nothing of the kind"])
async def test_nobody_signs_while_the_list_cannot_be_read(
    room: ReadingRoom, tmp_path: Path, content: bytes | None
) -> None:
    await room.draft()
    jws = await room.jws(AUTHOR, "author")
    if content is not None:
        (tmp_path / "crl.pem").write_bytes(content)
    with_settings(room, revoked=(tmp_path / "crl.pem",))
    with pytest.raises(FhirError) as refusal:
        await room.sign(AUTHOR, "author", jws=jws)
    assert refusal.value.status == 503
    assert refusal.value.issues[0].detail == "report.revocation-list-unreadable"


@pytest.mark.parametrize("name", ["ES256", "ES384", "EdDSA", "PS256", "RS256"])
async def test_each_algorithm_that_the_department_allows_signs_and_verifies(room: ReadingRoom, name: str) -> None:
    keys = {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "PS256": lambda: rsa.generate_private_key(65537, 2048),
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
    }
    await room.draft()
    previous = ""
    for person, role in ((AUTHOR, "author"), (REVIEWER, "reviewer")):
        mine = a_signer(room, keys[name](), person)
        jws = sign_payload(await room.payload(), *mine, role, previous, room.desk.now, algorithm=name)
        if name != "ES256":
            with_settings(room)
            assert "signature-algorithm-not-allowed" in refused(await room.sign(person, role, jws=jws))
        with_settings(room, algorithms=("ES256", name))
        assert (await room.sign(person, role, jws=jws)).refuse is None
        previous = jws_sha256(jws)
    assert room.status == "final"
    with_settings(room)  # what was allowed then stands: its receipt is sealed
    valid, parts = await room.verified()
    assert valid and {part["alg"]["valueCode"] for part in parts} == {name}

"""A signature stands or falls with a reason of its own for each thing that is wrong."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from slipring.signing.certificate import Authority, issue, make_authority, make_key_and_csr
from slipring.signing.chain import CertificateRefused, check_chain
from slipring.signing.jws import Judged, judge, jws_sha256, sign_payload
from slipring.signing.policy import reason

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
PAYLOAD = b'{"entry":[]}'
WHO = "Practitioner/o-17"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("department") / "signing", now=NOW)


@pytest.fixture(scope="module")
def person(authority: Authority) -> tuple[bytes, bytes]:
    key, csr = make_key_and_csr("Li Na")
    return key, issue(authority, csr, WHO, "Li Na", now=NOW)


def codes(judged: Judged) -> list[str]:
    return [why.code for why in judged.reasons]


def rewritten(jws: str, **members: object) -> str:
    head, _, rest = jws.partition(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    header = {name: value for name, value in {**header, **members}.items() if value is not None}
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=") + "." + rest


def test_a_true_signature_names_the_signer_the_time_and_the_algorithm(
    authority: Authority, person: tuple[bytes, bytes]
) -> None:
    jws = sign_payload(PAYLOAD, *person, "author", "", NOW)
    judged = judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW, role="author")
    assert judged.valid and judged.signer == WHO and judged.algorithm == "ES256" and judged.signed_at == NOW
    assert judged.sha256 == hashlib.sha256(jws.encode()).hexdigest() == jws_sha256(jws)
    assert ".." in jws


def test_other_content_is_told_apart_from_a_broken_signature(authority: Authority, person: tuple[bytes, bytes]) -> None:
    jws = sign_payload(PAYLOAD, *person, "author", "", NOW)
    trust = authority.certificate_pem
    assert codes(judge(jws, PAYLOAD + b" ", trust_pem=trust, at=NOW)) == ["payload-differs"]
    without_digest = rewritten(jws, sha256=None)
    assert codes(judge(without_digest, PAYLOAD, trust_pem=trust, at=NOW)) == ["signature-invalid"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"sigT": "2026-11-23T08:36:01Z"}, "time-off"),
        ({"sigT": "2026-11-23T08:30:00"}, "time-off"),
        ({"sigRole": "reviewer"}, "role-differs"),
        ({"srCms": [{"commId": {"id": "urn:oid:1.2"}}]}, "role-differs"),
        ({"alg": "none"}, "algorithm-not-allowed"),
        ({"alg": "HS256"}, "algorithm-not-allowed"),
        ({"alg": "ES384"}, "algorithm-not-allowed"),
        ({"form": "https://example.org/other"}, "form-unknown"),
        ({"x5c": None}, "header-incomplete"),
        ({"x5c": ["???"]}, "certificate-unreadable"),
        ({"x5c": [base64.b64encode(b"no certificate").decode()]}, "certificate-unreadable"),
        ({"crit": ["b64"], "b64": False}, "header-unsupported"),
        ({"prev": "00"}, "previous-unexpected"),
        ({"kid": "anything"}, "signature-invalid"),
    ],
)
def test_each_tampered_part_of_the_header_has_its_own_reason(
    members: dict[str, object], code: str, authority: Authority, person: tuple[bytes, bytes]
) -> None:
    jws = rewritten(sign_payload(PAYLOAD, *person, "author", "", NOW), **members)
    judged = judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW, role="author")
    assert not judged.valid and code in codes(judged)


@pytest.mark.parametrize("text", ["", "abc", "a.b.c", "....", "e30", "!!..!!", "W10..AAAA", "bm90anNvbg..AAAA"])
def test_what_is_no_detached_jws_is_malformed(text: str, authority: Authority) -> None:
    assert codes(judge(text, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW)) == ["malformed"]


def test_a_second_signature_is_chained_to_the_first_and_to_no_other(
    authority: Authority, person: tuple[bytes, bytes]
) -> None:
    trust = authority.certificate_pem
    first = sign_payload(PAYLOAD, *person, "author", "", NOW)
    chained = sign_payload(PAYLOAD, *person, "reviewer", jws_sha256(first), NOW)
    assert judge(chained, PAYLOAD, trust_pem=trust, at=NOW, prev=jws_sha256(first)).valid
    assert codes(judge(first, PAYLOAD, trust_pem=trust, at=NOW, prev=jws_sha256(first))) == ["previous-missing"]
    assert codes(judge(chained, PAYLOAD, trust_pem=trust, at=NOW, prev="f" * 64)) == ["previous-differs"]


def test_a_key_under_a_foreign_root_is_untrusted(
    authority: Authority, person: tuple[bytes, bytes], tmp_path: Path
) -> None:
    foreign = make_authority(tmp_path / "elsewhere", now=NOW)
    key, csr = make_key_and_csr("Li Na")
    jws = sign_payload(PAYLOAD, key, issue(foreign, csr, WHO, "Li Na", now=NOW), "author", "", NOW)
    assert codes(judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW)) == ["certificate-untrusted"]


def test_a_stolen_certificate_without_its_key_signs_nothing(authority: Authority, person: tuple[bytes, bytes]) -> None:
    other_key, _ = make_key_and_csr("somebody")
    jws = sign_payload(PAYLOAD, other_key, person[1], "author", "", NOW)
    assert codes(judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW)) == ["signature-invalid"]


def test_an_expired_certificate_and_one_not_yet_valid_are_told_apart(
    authority: Authority, person: tuple[bytes, bytes]
) -> None:
    trust = authority.certificate_pem
    for moment, code in (
        (NOW + timedelta(days=731), "certificate-expired"),
        (NOW - timedelta(days=1), "certificate-not-yet-valid"),
    ):
        jws = sign_payload(PAYLOAD, *person, "author", "", moment)
        assert codes(judge(jws, PAYLOAD, trust_pem=trust, at=moment)) == [code]


def test_validity_is_judged_at_the_recorded_time_not_today(authority: Authority, person: tuple[bytes, bytes]) -> None:
    jws = sign_payload(PAYLOAD, *person, "author", "", NOW)
    assert judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW).valid
    later = judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW + timedelta(days=900))
    assert {"time-off", "certificate-expired"} <= set(codes(later))


def test_a_practitioner_cannot_issue_certificates(authority: Authority, person: tuple[bytes, bytes]) -> None:
    """A leaf that signs another certificate makes no chain."""
    key = serialization.load_pem_private_key(person[0], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    leaf = x509.load_pem_x509_certificate(person[1])
    forged = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain = [c.public_bytes(serialization.Encoding.DER) for c in (forged, leaf)]
    with pytest.raises(CertificateRefused, match="certificate-untrusted"):
        check_chain(chain, authority.certificate_pem, NOW)


def test_the_root_itself_cannot_sign_a_report(authority: Authority) -> None:
    root = x509.load_pem_x509_certificate(authority.certificate_pem)
    with pytest.raises(CertificateRefused, match="certificate-not-for-signing"):
        check_chain([root.public_bytes(serialization.Encoding.DER)], authority.certificate_pem, NOW)


def test_a_certificate_names_exactly_one_practitioner(authority: Authority) -> None:
    _, csr = make_key_and_csr("Device")
    chain = x509.load_pem_x509_certificates(issue(authority, csr, "Device/o-1", "Device", now=NOW))
    with pytest.raises(CertificateRefused, match="certificate-names-no-practitioner"):
        check_chain([one.public_bytes(serialization.Encoding.DER) for one in chain], authority.certificate_pem, NOW)


@pytest.mark.parametrize("algorithm", ["ES384", "EdDSA", "PS256"])
def test_other_algorithms_count_only_when_the_policy_allows_them(algorithm: str, authority: Authority) -> None:
    key = {
        "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "PS256": lambda: rsa.generate_private_key(65537, 2048),
    }[algorithm]()
    digest = None if algorithm == "EdDSA" else hashes.SHA256()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
    chain = issue(authority, csr.public_bytes(serialization.Encoding.PEM), WHO, "Li Na", now=NOW)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    jws = sign_payload(PAYLOAD, pem, chain, "author", "", NOW)
    trust = authority.certificate_pem
    assert codes(judge(jws, PAYLOAD, trust_pem=trust, at=NOW)) == ["algorithm-not-allowed"]
    assert judge(jws, PAYLOAD, trust_pem=trust, at=NOW, algorithms=["ES256", algorithm]).valid


def test_the_authority_is_made_once_and_its_key_is_for_its_owner_only(tmp_path: Path) -> None:
    first = make_authority(tmp_path / "signing", now=NOW)
    assert make_authority(tmp_path / "signing", now=NOW + timedelta(days=1)) == first
    assert (tmp_path / "signing/root.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["signing"]


def test_every_reason_speaks_both_languages() -> None:
    told = reason("payload-differs")
    assert told.zh != told.en and told.zh and told.en

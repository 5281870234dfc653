"""Each algorithm signs with its own kind of key and no other, and an installed package can add one."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from slipring.signing.algorithms import registry
from slipring.signing.certificate import Authority, issue, make_authority
from slipring.signing.jws import judge, sign_payload
from slipring.signing.trust import algorithms_accepted

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
PAYLOAD = b'{"entry":[]}'
KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
}
FITTING = {
    ("ES256", "P-256"), ("ES384", "P-384"), ("EdDSA", "Ed25519"), ("Ed25519", "Ed25519"), ("PS256", "RSA-2048"), ("RS256", "RSA-2048"),
}  # fmt: skip


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("department") / "signing", now=NOW)


@pytest.fixture(scope="module")
def signers(authority: Authority) -> dict[str, tuple[bytes, bytes]]:
    """A key of each kind, with the chain an authority gave for it."""
    made = {}
    for name, make in KEYS.items():
        key = make()
        digest = None if name.startswith("Ed") else hashes.SHA256()
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        asked = csr.public_bytes(serialization.Encoding.PEM)
        made[name] = (pem, issue(authority, asked, "Practitioner/o-17", "Li Na", now=NOW))
    return made


def said(jws: str, authority: Authority) -> set[str]:
    trust = authority.certificate_pem
    judged = judge(jws, PAYLOAD, trust_pem=trust, at=NOW, algorithms=tuple(registry()))
    return {each.code for each in judged.reasons}


@pytest.mark.parametrize(("algorithm", "key"), sorted(FITTING))
def test_each_algorithm_signs_and_is_judged_with_its_own_kind_of_key(
    algorithm: str, key: str, authority: Authority, signers: dict[str, tuple[bytes, bytes]]
) -> None:
    jws = sign_payload(PAYLOAD, *signers[key], "author", "", NOW, algorithm=algorithm)
    judged = judge(jws, PAYLOAD, trust_pem=authority.certificate_pem, at=NOW, algorithms=[algorithm])
    assert judged.valid and judged.algorithm == algorithm
    bent = jws[:-3] + ("A" if jws[-3] != "A" else "B") + jws[-2:]
    assert said(bent, authority) <= {"signature-invalid", "malformed"} and said(bent, authority)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "PS256", "RS256"])
def test_no_algorithm_takes_a_key_of_another_kind_or_curve(
    algorithm: str, authority: Authority, signers: dict[str, tuple[bytes, bytes]]
) -> None:
    """The header says one algorithm, the certificate holds the key of another: refused before anything is computed."""
    for kind, (_, chain) in signers.items():
        if (algorithm, kind) in FITTING or (kind == "RSA-1024" and algorithm.endswith("S256") and algorithm[0] in "PR"):
            continue
        fitting = next(key for name, key in FITTING if name == algorithm)
        jws = sign_payload(PAYLOAD, signers[fitting][0], chain, "author", "", NOW, algorithm=algorithm)
        assert "key-unfit" in said(jws, authority), kind


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_a_short_rsa_key_is_refused_with_its_own_reason(
    algorithm: str, authority: Authority, signers: dict[str, tuple[bytes, bytes]]
) -> None:
    jws = sign_payload(PAYLOAD, *signers["RSA-1024"], "author", "", NOW, algorithm=algorithm)
    assert "key-too-small" in said(jws, authority)


def test_one_signature_has_one_text(authority: Authority, signers: dict[str, tuple[bytes, bytes]]) -> None:
    """The last character of base64 has bits that decode to nothing: another character there is another text, not accepted."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    jws = sign_payload(PAYLOAD, *signers["P-256"], "author", "", NOW)
    other = jws[:-1] + alphabet[alphabet.index(jws[-1]) ^ 1]
    assert said(jws, authority) == set() and said(other, authority) == {"malformed"}


def test_an_algorithm_that_nobody_knows_is_refused_when_it_is_set() -> None:
    assert algorithms_accepted({"SLIPRING_SIGNING_ALGORITHMS": "ES256, PS256"}) == ("ES256", "PS256")
    with pytest.raises(ValueError, match="SM2SM3 not known here"):
        algorithms_accepted({"SLIPRING_SIGNING_ALGORITHMS": "ES256,SM2SM3"})


# What a package brings that adds an algorithm. The double signs on a curve that none of ours uses, and with a digest of
# its own, as SM2 with SM3 would; its certificates are signed in that way too.
DOUBLE = """
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from slipring.signing.algorithms import Algorithm
WAY = ec.ECDSA(hashes.SHA3_256())
ISSUED = []
def sign(key, signed):
    return serialization.load_pem_private_key(key, None).sign(signed, WAY)
def verify(certificate, signed, signature):
    try:
        x509.load_der_x509_certificate(certificate).public_key().verify(signature, signed, WAY)
    except InvalidSignature:
        return False
    return True
def signs_with(key):
    return isinstance(serialization.load_pem_private_key(key, None).curve, ec.SECP256K1)
def issued(issuer, certificate):
    read = x509.load_der_x509_certificate(certificate)
    ISSUED.append(read.serial_number)
    return verify(issuer, read.tbs_certificate_bytes, read.signature)
ours = Algorithm("DOUBLE", sign, verify, signs_with, certificate_oids=frozenset({"2.16.840.1.101.3.4.3.10"}), issued=issued)
taking = Algorithm("ES256", sign, lambda *_: True, signs_with)
"""
TRIED = """
import json, sys
from datetime import UTC, datetime, timedelta
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
import double
from slipring.signing.algorithms import registry
from slipring.signing.jws import judge, sign_payload
from slipring.signing.trust import algorithms_accepted
now = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
def made(key, issuer_key, *, ca):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    where = x509.UniformResourceIdentifier("https://slipring.example/fhir/Practitioner/o-17")
    usage = x509.KeyUsage(not ca, not ca, False, False, False, ca, ca, False, False)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.BasicConstraints(ca, 0 if ca else None), True).add_extension(usage, True)
        .add_extension(x509.SubjectAlternativeName([where]), False))
    return builder.sign(issuer_key, hashes.SHA3_256()).public_bytes(serialization.Encoding.PEM)
root_key, key, other = (ec.generate_private_key(ec.SECP256K1()) for _ in range(3))
root, leaf, foreign = made(root_key, root_key, ca=True), made(key, root_key, ca=False), made(key, other, ca=False)
pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
names = algorithms_accepted({"SLIPRING_SIGNING_ALGORITHMS": "DOUBLE"})
def said(chain, payload=b"{}"):
    judged = judge(sign_payload(b"{}", pem, chain, "author", "", now), payload, trust_pem=root, at=now, algorithms=names)
    return [each.code for each in judged.reasons] or judged.algorithm + " " + judged.signer
print(json.dumps([said(leaf), said(foreign), said(leaf, b"{ }"), len(double.ISSUED) > 0, registry()["ES256"] is double.taking]))
"""


def test_an_installed_package_adds_an_algorithm_and_replaces_none(tmp_path: Path) -> None:
    """By its entry point, in a process of its own, as a department would have it."""
    (tmp_path / "double.py").write_text(DOUBLE)
    told = tmp_path / "double-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: double\nVersion: 1.0\n")
    entries = "[slipring.signature_algorithms]\nDOUBLE = double:ours\nES256 = double:taking\n"
    (told / "entry_points.txt").write_text(entries)
    run = subprocess.run(
        [sys.executable, "-c", TRIED],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found == ["DOUBLE Practitioner/o-17", ["certificate-untrusted"], ["payload-differs"], True, False]

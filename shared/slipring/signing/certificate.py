"""The department's certificate authority: its keys, and the certificates it issues.

A practitioner's certificate names the Practitioner as a URI in its subject alternative name; the key is made
where the person is and never leaves it: the certificate request proves that the asker holds it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slipring.signing.chain import PERSON_PREFIX, CertificateRefused
from slipring.signing.policy import lifetime

# Certificates are backdated a little: machines of one department do not agree on the second.
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """The department's own root: it signs practitioner certificates."""

    key_pem: bytes
    certificate_pem: bytes


def make_authority(folder: Path, *, now: datetime) -> Authority:
    """The authority kept in this folder (`root.key`, `root.pem`); made when there is none.

    Several processes may start at once: the folder appears whole or not at all, and the first one wins.
    """
    if not (folder / "root.pem").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        key = ec.generate_private_key(ec.SECP256R1())
        _write(fresh / "root.key", _key_pem(key))
        _write(fresh / "root.pem", _root(key, now).public_bytes(serialization.Encoding.PEM))
        try:
            fresh.rename(folder)
        except OSError:  # another process was first, or the folder holds something else
            for name in ("root.key", "root.pem"):
                (fresh / name).unlink()
            fresh.rmdir()
    return Authority((folder / "root.key").read_bytes(), (folder / "root.pem").read_bytes())


def make_key_and_csr(name: str) -> tuple[bytes, bytes]:
    """A fresh P-256 key (PEM, unencrypted) and the certificate request that proves its possession."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_named(name)).sign(key, hashes.SHA256())
    return _key_pem(key), request.public_bytes(serialization.Encoding.PEM)


def issue(authority: Authority, csr_pem: bytes, practitioner: str, name: str, *, now: datetime) -> bytes:
    """Issue a certificate for `Practitioner/id` on a request; answers the chain as PEM, the signer's own first."""
    request = x509.load_pem_x509_csr(csr_pem)
    if not request.is_signature_valid:
        raise CertificateRefused("certificate-unreadable")
    root = x509.load_pem_x509_certificate(authority.certificate_pem)
    key = serialization.load_pem_private_key(authority.key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateRefused("certificate-unreadable")
    address = x509.UniformResourceIdentifier(PERSON_PREFIX + practitioner)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(root.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(now + lifetime("practitioner"), root.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_content=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + authority.certificate_pem


def _root(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _named("Slipring department signing root")
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime("root"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_content=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _usage(*, signs_content: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_content,
        content_commitment=signs_content,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_content,
        crl_sign=not signs_content,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

"""The department's certificate authority, and the judgement of a signer's certificate chain.

A practitioner's certificate names the Practitioner as a URI in its subject alternative name; the key is made
where the person is and never leaves it: the certificate request proves that the asker holds it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slipring.fhir.service import CANONICAL
from slipring.signing.policy import lifetime, longest_chain

_PREFIX = f"{CANONICAL}/"
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectAlternativeName, x509.ExtendedKeyUsage)
# Certificates are backdated a little: machines of one department do not agree on the second.
_BACKDATED = timedelta(minutes=5)


class CertificateRefused(Exception):
    """A chain or request that is not accepted; `code` is a key of reasons.toml."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
    address = x509.UniformResourceIdentifier(_PREFIX + practitioner)
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


def check_chain(
    x5c: Sequence[bytes], trust_pem: bytes, at: datetime, persons: Sequence[str] = ("Practitioner",)
) -> str:
    """The person of one of these types that a DER chain (signer first) names, once it is trusted and valid at this time."""
    try:
        chain = [x509.load_der_x509_certificate(der) for der in x5c]
        roots = x509.load_pem_x509_certificates(trust_pem)
        if not chain:
            raise CertificateRefused("certificate-unreadable")
        path = _path(chain, roots)
        for certificate in path:
            if at > certificate.not_valid_after_utc:
                raise CertificateRefused("certificate-expired")
            if at < certificate.not_valid_before_utc:
                raise CertificateRefused("certificate-not-yet-valid")
        return _person_of(chain[0], persons)
    except (ValueError, x509.DuplicateExtension) as error:
        raise CertificateRefused("certificate-unreadable") from error


def _path(chain: list[x509.Certificate], roots: list[x509.Certificate]) -> list[x509.Certificate]:
    # Each certificate must be issued by a root, or by the next one of the chain that is itself an authority.
    path = [chain[0]]
    following = list(chain[1:])
    while len(path) <= longest_chain():
        _extensions_understood(path[-1])
        below = len(path) - 1  # authorities between this issuer and the signer
        root = next((root for root in roots if _issued(root, path[-1], below)), None)
        if root is not None:
            return [*path, root]
        issuer = next((authority for authority in following if _issued(authority, path[-1], below)), None)
        if issuer is None:
            break
        following.remove(issuer)
        path.append(issuer)
    raise CertificateRefused("certificate-untrusted")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate, below: int) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    long_enough = constraints.path_length is None or constraints.path_length >= below
    return constraints.ca and usage.key_cert_sign and long_enough


def _extensions_understood(certificate: x509.Certificate) -> None:
    if any(extension.critical and not isinstance(extension.value, _UNDERSTOOD) for extension in certificate.extensions):
        raise CertificateRefused("certificate-untrusted")


def _person_of(certificate: x509.Certificate, persons: Sequence[str]) -> str:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateRefused("certificate-not-for-signing") from error
    if not usage.digital_signature:
        raise CertificateRefused("certificate-not-for-signing")
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise CertificateRefused("certificate-names-no-practitioner") from error
    addresses = names.get_values_for_type(x509.UniformResourceIdentifier)
    ours = tuple(f"{_PREFIX}{person}/" for person in persons)
    named = [address.removeprefix(_PREFIX) for address in addresses if address.startswith(ours)]
    if len(named) != 1:
        raise CertificateRefused("certificate-names-no-practitioner")
    return named[0]


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

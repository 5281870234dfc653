"""The judgement of a signer's certificate chain: who he is, whether an authority that is trusted says so, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from slipring.fhir.service import CANONICAL
from slipring.signing.algorithms import judge_of, rsa_too_small
from slipring.signing.policy import longest_chain, weak_hashes
from slipring.signing.revocation import NOTHING_REVOKED, Revocations

PERSON_PREFIX = f"{CANONICAL}/"
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectAlternativeName, x509.ExtendedKeyUsage)


class CertificateRefused(Exception):
    """A chain or request that is not accepted; `code` is a key of reasons.toml."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_chain(
    x5c: Sequence[bytes],
    trust_pem: bytes,
    at: datetime,
    persons: Sequence[str] = ("Practitioner",),
    revoked: Revocations = NOTHING_REVOKED,
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
        for certificate, issuer in pairwise(path):
            if (taken := revoked.of(certificate, issuer)) and at >= taken.at:
                raise CertificateRefused("certificate-revoked")
        return _person_of(chain[0], persons)
    except (ValueError, x509.DuplicateExtension) as error:
        raise CertificateRefused("certificate-unreadable") from error


def _path(chain: list[x509.Certificate], roots: list[x509.Certificate]) -> list[x509.Certificate]:
    # Each certificate must be issued by a root, or by the next one of the chain that is itself an authority.
    path = [chain[0]]
    following = list(chain[1:])
    while len(path) <= longest_chain():
        _extensions_understood(path[-1])
        _strong_enough(path[-1])
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
        if not _signed_by(issuer, certificate):
            return False
    except (x509.ExtensionNotFound, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    long_enough = constraints.path_length is None or constraints.path_length >= below
    return constraints.ca and usage.key_cert_sign and long_enough


def _signed_by(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    added = judge_of(certificate)
    if added is None:
        certificate.verify_directly_issued_by(issuer)
        return True
    der = serialization.Encoding.DER
    return certificate.issuer == issuer.subject and added(issuer.public_bytes(der), certificate.public_bytes(der))


def _strong_enough(certificate: x509.Certificate) -> None:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:  # an added algorithm, which judges that itself
        return
    if (digest is not None and digest.name in weak_hashes()) or rsa_too_small(certificate):
        raise CertificateRefused("certificate-weak")


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
    ours = tuple(f"{PERSON_PREFIX}{person}/" for person in persons)
    named = [address.removeprefix(PERSON_PREFIX) for address in addresses if address.startswith(ours)]
    if len(named) != 1:
        raise CertificateRefused("certificate-names-no-practitioner")
    return named[0]

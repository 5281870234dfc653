"""Which certificates were taken back, since when and why: by the lists of their authorities (CRL), or by our own records.

A signature made before its certificate was taken back stands; one made afterwards does not. What counts is the date
of the revocation, which may lie before the day on which it became known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from slipring.signing.policy import list_lifetime

_BEGIN = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"


@dataclass(frozen=True, slots=True)
class Revoked:
    """Since when a certificate no longer counts, and why (a reason of RFC 5280 section 5.3.1)."""

    at: datetime
    reason: str = "unspecified"


@dataclass(frozen=True, slots=True)
class Revocations:
    """All that is known to be revoked: lists by outside or own authorities, and own records by `fingerprint`."""

    lists: tuple[x509.CertificateRevocationList, ...] = ()
    recorded: Mapping[str, Revoked] = field(default_factory=dict)

    def of(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Revoked | None:
        """How this certificate stands; only lists that its issuer signed say anything about it."""
        found = [self.recorded.get(fingerprint(certificate)), *(_on(one, certificate, issuer) for one in self.lists)]
        return min((one for one in found if one is not None), key=lambda one: one.at, default=None)


NOTHING_REVOKED = Revocations()


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


@lru_cache(maxsize=16)
def read_lists(content: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """The revocation lists of a file: one as DER, or any number as PEM. ValueError when it is neither."""
    if _BEGIN not in content:
        return (x509.load_der_x509_crl(content),) if content.strip() else ()
    parts = content.split(_BEGIN)[1:]
    return tuple(x509.load_pem_x509_crl(_BEGIN + part.partition(_END)[0] + _END) for part in parts)


def make_list(
    issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey, revoked: Mapping[int, Revoked], now: datetime
) -> bytes:
    """The list of an authority as PEM: serial numbers with dates and reasons, signed by its key, valid for some days."""
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now)
        .next_update(now + list_lifetime())
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
    )
    for serial, taken in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(taken.at)
        if taken.reason != "unspecified":  # RFC 5280 section 5.3.1: then the extension should be absent
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(taken.reason)), critical=False)
        made = made.add_revoked_certificate(entry.build())
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def entries(found: x509.CertificateRevocationList) -> dict[int, Revoked]:
    """What a list says, by serial number."""
    return {entry.serial_number: _entry(entry) for entry in found}


def as_pem(lists: Iterable[x509.CertificateRevocationList]) -> bytes:
    """Lists as one PEM text."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists)


def _on(
    found: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate
) -> Revoked | None:
    if found.issuer != certificate.issuer or not _signed(found, issuer):
        return None
    entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return None
    return _entry(entry)


def _entry(entry: x509.RevokedCertificate) -> Revoked:
    at, reason = entry.revocation_date_utc, "unspecified"
    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            at = min(at, extension.value.invalidity_date_utc)
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason.value
    return Revoked(at, reason)


def _signed(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # another kind of key raises
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return False

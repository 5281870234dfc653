"""The department's authority vouches for the keys with which its services seal, so that one root is enough to trust.

A certificate of a sealing key names the service (`Service/report`) where that of a person names the Practitioner.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from slipring.signing.certificate import certify, read_authority
from slipring.signing.chain import CertificateRefused, check_chain
from slipring.signing.seal import KnownKey
from slipring.signing.seal_keys import Jwk, known

SERVICE = "Service"
MADE_ELSEWHERE = "key-certificates.pem"  # beside the roots, where the issuing key is kept on another machine


def certified_keys(folder: Path, published: Sequence[Jwk], now: datetime) -> bytes:
    """Certificates for the published keys of a service as PEM, the authorities' among them.

    Made with the issuing key where it lies in the authority's folder, else those that were made where it lies
    (`slipring certificate service-keys`); empty when there are neither.
    """
    try:
        authority = read_authority(folder)
    except OSError:
        made = folder / MADE_ELSEWHERE
        return made.read_bytes() if made.exists() else b""
    return b"".join(
        certify(authority, _public(one), f"{SERVICE}/{one.service}", one.kid, now=now) for one in known(published)
    )


def _public(key: KnownKey) -> ec.EllipticCurvePublicKey:
    found = serialization.load_pem_public_key(key.key.as_pem(private=False))
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise CertificateRefused("certificate-unreadable")
    return found


def vouched_keys(pem: bytes, trust_pem: bytes, at: datetime) -> frozenset[str]:
    """The `kid` (RFC 7638 thumbprint) of each sealing key that a trusted authority certified; none for what cannot be read."""
    try:
        certificates = x509.load_pem_x509_certificates(pem) if pem.strip() else []
    except ValueError:
        return frozenset()
    ders = [one.public_bytes(serialization.Encoding.DER) for one in certificates]
    found = set()
    for certificate, der in zip(certificates, ders, strict=True):
        try:
            check_chain([der, *(one for one in ders if one != der)], trust_pem, at, (SERVICE,))
            found.add(kid_of(certificate))
        except (CertificateRefused, ValueError):
            continue
    return frozenset(found)


def kid_of(certificate: x509.Certificate) -> str:
    """The name under which the key of a certificate seals."""
    public = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return str(ECKey.import_key(public).thumbprint())

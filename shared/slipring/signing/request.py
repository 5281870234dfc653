"""A certificate request (PKCS #10) as it comes in: it must prove that the asker holds the key, and the key must be fit."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from slipring.signing.algorithms import key_fault
from slipring.signing.chain import CertificateRefused

_LONGEST = 16_384  # bytes; a request for one key is far shorter


def check_request(csr_pem: bytes, algorithms: Sequence[str]) -> x509.CertificateSigningRequest:
    """The request, once its signature proves possession of a key that one of these algorithms signs with."""
    if len(csr_pem) > _LONGEST:
        raise CertificateRefused("request-unreadable")
    try:
        request = x509.load_pem_x509_csr(csr_pem)
        proved = request.is_signature_valid
        key = request.public_key()
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise CertificateRefused("request-unreadable") from error
    if not proved:
        raise CertificateRefused("request-unproved")
    if fault := key_fault(key, algorithms):
        raise CertificateRefused(fault)
    return request

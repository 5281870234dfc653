"""A time stamp over a signature by an authority outside (RFC 3161): proof of its time that does not rest on our own key.

What is stamped is the text of the JWS; the authority's whole answer is kept, as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from slipring.fhir.service import CANONICAL

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

TIME_STAMP = f"{CANONICAL}/StructureDefinition/time-stamp"  # the extension of a signature's record
TIME_STAMP_QUERY, TIME_STAMP_REPLY = "application/timestamp-query", "application/timestamp-reply"  # RFC 3161 3.4


class TimeStampRefused(Exception):
    """What an authority answered is no time stamp over this signature.

    `code` says why: unreadable, differs (of something else), expired (outside the validity of the authority's certificate),
    authority-unknown (no root given vouches for it), forged (the authority did not sign this).
    """

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a time stamping authority, and the nonce that its answer must repeat."""

    query: bytes
    nonce: int | None


def ask_for_stamp(jws: str) -> Asked:
    """The question for one signature: its SHA-256, a nonce, and the wish for the authority's certificate."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # only where an authority is set

    builder = TimestampRequestBuilder().data(jws.encode("ascii")).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return Asked(request.as_bytes(), request.nonce)


def stamped_at(reply: bytes, jws: str, roots_pem: bytes, nonce: int | None = None) -> datetime:
    """The time that an answer proves for a signature, once a trusted authority gave it; TimeStampRefused otherwise.

    The authority's certificates are judged at the time of the stamp, so it goes on proving when they have ended.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    at, roots = stated_at(reply, jws), x509.load_pem_x509_certificates(roots_pem)
    response = decode_timestamp_response(reply)
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        (builder if nonce is None else builder.nonce(nonce)).build().verify_message(response, jws.encode("ascii"))
    except (VerificationError, ValueError) as error:
        raise TimeStampRefused(_why(response, roots, at), str(error)) from error
    return at


def stated_at(reply: bytes, jws: str) -> datetime:
    """The time that an answer states for a signature, whoever gave it; TimeStampRefused when it is about something else."""
    from rfc3161_client import decode_timestamp_response

    try:
        told = decode_timestamp_response(reply).tst_info
        stamped = bytes(told.message_imprint.message)
    except ValueError as error:
        raise TimeStampRefused("unreadable", str(error)) from error
    if stamped != hashlib.sha256(jws.encode("ascii", "replace")).digest():
        raise TimeStampRefused("differs")
    return told.gen_time


def _why(response: TimeStampResponse, roots: Sequence[x509.Certificate], at: datetime) -> str:
    """What a stamp that does not verify lacks, as far as it can be told."""
    try:
        carried = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
    except ValueError:
        return "unreadable"
    issuers = {one.issuer for one in carried}
    above = [one for one in roots if one.subject in issuers]
    if not above:
        return "authority-unknown"
    if any(not one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in (*carried, *above)):
        return "expired"
    # Another authority may bear the same name.
    vouched = any(_issued(one, root) for one in carried for root in above)
    return "forged" if vouched else "authority-unknown"


def _issued(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True

"""A time stamp over a signature by an authority outside (RFC 3161): proof of its time that does not rest on our own key.

What is stamped is the text of the JWS; the authority's whole answer is kept, as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from slipring.fhir.service import CANONICAL

TIME_STAMP = f"{CANONICAL}/StructureDefinition/time-stamp"  # the extension of a signature's record
TIME_STAMP_QUERY, TIME_STAMP_REPLY = "application/timestamp-query", "application/timestamp-reply"  # RFC 3161 3.4


class TimeStampRefused(Exception):
    """What an authority answered is no time stamp over this signature; says why."""


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
    """The time that an answer proves for a signature, once a trusted authority gave it; TimeStampRefused otherwise."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        response = decode_timestamp_response(reply)
        builder = VerifierBuilder()
        for root in _roots(roots_pem):
            builder = builder.add_root_certificate(root)
        if nonce is not None:
            builder = builder.nonce(nonce)
        builder.build().verify_message(response, jws.encode("ascii"))
        return response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise TimeStampRefused(str(error)) from error


def stated_at(reply: bytes, jws: str) -> datetime:
    """The time that an answer states for a signature, whoever gave it; TimeStampRefused when it is about something else."""
    from rfc3161_client import decode_timestamp_response

    try:
        told = decode_timestamp_response(reply).tst_info
        stamped = bytes(told.message_imprint.message)
    except ValueError as error:
        raise TimeStampRefused(str(error)) from error
    if stamped != hashlib.sha256(jws.encode("ascii", "replace")).digest():
        raise TimeStampRefused("it is the stamp of something else")
    return told.gen_time


def _roots(pem: bytes) -> Sequence[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem)

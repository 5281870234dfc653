"""Detached compact JWS: made with a person's own key, judged with every reason named.

The protected header carries the chain (`x5c`), the signer's time (`sigT`), the purpose (`srCms`, ASTM E1762),
the role (`sigRole`), the form signed (`form`), the payload's digest (`sha256`, so that "other content" and
"other key" can be told apart) and, from the second signature on, `prev`: the SHA-256 of the JWS before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slipring.fhir.search.moment import zoned
from slipring.signing.algorithms import Algorithm, algorithm_for
from slipring.signing.algorithms import algorithm as known_algorithm
from slipring.signing.chain import CertificateRefused, check_chain
from slipring.signing.form import FORM
from slipring.signing.policy import Reason, allowed_algorithms, clock_tolerance, purpose, reason
from slipring.signing.revocation import NOTHING_REVOKED, Revocations

_DETACHED = re.compile(r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$")
_NEEDED = ("x5c", "sigT", "sigRole", "srCms", "form")


@dataclass(frozen=True, slots=True)
class Judged:
    """What the examination of one signature found; valid when there is no reason against it."""

    reasons: tuple[Reason, ...]
    algorithm: str = ""
    signer: str = ""  # the person named by the certificate: Practitioner/id, or another of the kinds asked for
    signed_at: datetime | None = None  # the signer's own clock
    role: str = ""
    prev: str = ""
    sha256: str = ""  # of the JWS itself: what the next signature is chained to

    @property
    def valid(self) -> bool:
        """Whether the signature stands."""
        return not self.reasons


def jws_sha256(jws: str) -> str:
    """What a following signature carries as `prev`."""
    return hashlib.sha256(jws.encode("ascii", "replace")).hexdigest()


def sign_payload(
    payload: bytes,
    key_pem: bytes,
    chain_pem: bytes,
    role: str,
    prev: str,
    at: datetime,
    *,
    form: str = FORM,
    algorithm: str = "",
) -> str:
    """Sign as a client does: a detached compact JWS over the payload; `prev` is empty for the first signature.

    Without an `algorithm` it is the one that fits the key (PS256 of the two for RSA).
    """
    used = known_algorithm(algorithm) if algorithm else algorithm_for(key_pem)
    if used is None:
        raise ValueError(f"{algorithm} is no signature algorithm known here")
    return sign_payload_by(
        lambda signed: used.sign(key_pem, signed), used.name, payload, chain_pem, role, prev, at, form=form
    )


def sign_payload_by(
    sign: Callable[[bytes], bytes],
    algorithm: str,
    payload: bytes,
    chain_pem: bytes,
    role: str,
    prev: str,
    at: datetime,
    *,
    form: str = FORM,
) -> str:
    """The same by a key that cannot be had as PEM: `sign` gives the signature of bytes, as a JWS of this algorithm carries it."""
    chain = x509.load_pem_x509_certificates(chain_pem)
    declared = purpose(role)
    header: dict[str, Any] = {
        "alg": algorithm,
        "x5c": [base64.b64encode(c.public_bytes(serialization.Encoding.DER)).decode() for c in chain],
        "sigT": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "sigRole": role,
        "srCms": [{"commId": {"id": f"urn:oid:{declared.code}", "desc": declared.en}}],
        "form": form,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    if prev:
        header["prev"] = prev
    protected = _encoded(json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{protected}..{_encoded(sign(_signed_bytes(protected, payload)))}"


def judge(
    jws: str,
    payload: bytes,
    *,
    trust_pem: bytes,
    at: datetime,
    role: str = "",
    prev: str = "",
    algorithms: Sequence[str] = (),
    form: str = FORM,
    persons: Sequence[str] = ("Practitioner",),
    revoked: Revocations = NOTHING_REVOKED,
) -> Judged:
    """Examine a detached JWS over this payload, a form of this name, by the key of one of these kinds of `persons`.

    `at` is the service's time of the signature: now for a new one, the time in the service's seal later on; whether
    the certificate was valid and not revoked is judged at that time, never at the signer's own `sigT`. `prev` is the
    SHA-256 of the JWS before it, empty for the first one. Every reason against it is listed, not only the first.
    """
    header = header_of(jws)
    if isinstance(header, Reason):
        return Judged((header,), sha256=jws_sha256(jws))
    wrong: list[str] = []
    if "crit" in header or "b64" in header:
        wrong.append("header-unsupported")
    wrong += ["header-incomplete"] if any(not header.get(name) for name in _NEEDED) else []
    wrong += ["form-unknown"] if header.get("form", form) != form else []
    named = _text(header, "sigRole")
    stated = _text(header, "alg")
    algorithm = known_algorithm(stated) if stated in (algorithms or allowed_algorithms()) else None
    wrong += ["algorithm-not-allowed"] if algorithm is None else []
    signed_at = zoned(header.get("sigT"))
    if signed_at is None or abs(signed_at - at) > clock_tolerance():
        wrong.append("time-off")
    if (role and named != role) or not _states_purpose(header, named):
        wrong.append("role-differs")
    wrong += _chained(_text(header, "prev"), prev)
    chain, signer = _chain(header), ""
    try:
        signer = check_chain(chain, trust_pem, at, persons, revoked)
    except CertificateRefused as refused:
        wrong.append(refused.code)
    if algorithm is not None:
        wrong += _signature_problem(jws, payload, header, chain, algorithm)
    return Judged(
        tuple(reason(code) for code in dict.fromkeys(wrong)),
        algorithm=stated,
        signer=signer,
        signed_at=signed_at,
        role=named,
        prev=_text(header, "prev"),
        sha256=jws_sha256(jws),
    )


def header_of(jws: str) -> dict[str, Any] | Reason:
    """The protected header of a detached compact JWS, unproved; the reason why it has none."""
    if not _DETACHED.match(jws):
        return reason("malformed")
    try:
        protected, signature = (_decoded(part) for part in jws.split(".."))
        # Of all texts that decode to the same bytes one is a signature: nobody alters a character of it unseen.
        if f"{_encoded(protected)}..{_encoded(signature)}" != jws:
            return reason("malformed")
        header = json.loads(protected)
    except (ValueError, RecursionError):
        return reason("malformed")
    return header if isinstance(header, dict) else reason("malformed")


def _chained(stated: str, expected: str) -> list[str]:
    if not expected:
        return ["previous-unexpected"] if stated else []
    if not stated:
        return ["previous-missing"]
    return [] if stated == expected else ["previous-differs"]


def _states_purpose(header: Mapping[str, Any], role: str) -> bool:
    try:
        stated = {commitment["commId"]["id"] for commitment in header["srCms"]}
        return f"urn:oid:{purpose(role).code}" in stated
    except (KeyError, TypeError):
        return False


def _chain(header: Mapping[str, Any]) -> list[bytes]:
    stated = header.get("x5c")
    if not isinstance(stated, Iterable) or isinstance(stated, str):
        return []
    try:
        return [base64.b64decode(item, validate=True) for item in stated]
    except (binascii.Error, TypeError, ValueError):
        return []


def _signature_problem(
    jws: str, payload: bytes, header: Mapping[str, Any], chain: Sequence[bytes], algorithm: Algorithm
) -> list[str]:
    try:
        unfit = algorithm.unfit(chain[0])
    except (ValueError, TypeError, IndexError):  # check_chain says what is wrong with the certificate
        return []
    if unfit:
        return [unfit]
    if "sha256" in header and header["sha256"] != hashlib.sha256(payload).hexdigest():
        return ["payload-differs"]
    protected, _, signature = jws.partition("..")
    signed = _signed_bytes(protected, payload)
    return [] if algorithm.verify(chain[0], signed, _decoded(signature)) else ["signature-invalid"]


def _signed_bytes(protected: str, payload: bytes) -> bytes:
    """What a JWS signs (RFC 7515 section 5.1): both parts encoded, with a dot between."""
    return f"{protected}.{_encoded(payload)}".encode("ascii")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""

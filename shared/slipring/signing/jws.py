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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from slipring.signing.certificate import CertificateRefused, check_chain
from slipring.signing.form import FORM
from slipring.signing.policy import Reason, allowed_algorithms, clock_tolerance, known_algorithms, purpose, reason

_DETACHED = re.compile(r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$")
_NEEDED = ("x5c", "sigT", "sigRole", "srCms", "form")


class _Sizes(jose.JWSRegistry):
    # A header holds a certificate chain and a payload a whole report: the library's defaults are for tokens.
    max_header_length = 32_768
    max_payload_length = 64_000_000


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
    payload: bytes, key_pem: bytes, chain_pem: bytes, role: str, prev: str, at: datetime, *, form: str = FORM
) -> str:
    """Sign as a client does: a detached compact JWS over the payload; `prev` is empty for the first signature."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    algorithm = _algorithm_for(key)
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
    registry = _Sizes(algorithms=[algorithm], strict_check_header=False)
    text = jose.serialize_compact(header, payload, _jwk(algorithm, key_pem), registry=registry)
    return str(jose.detach_content(text))


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
) -> Judged:
    """Examine a detached JWS over this payload, a form of this name, by the key of one of these kinds of `persons`.

    `at` is the service's time of the signature: now for a new one, the recorded time later on. `prev` is the
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
    algorithm, named = _text(header, "alg"), _text(header, "sigRole")
    usable = [name for name in (algorithms or allowed_algorithms()) if name in known_algorithms()]
    wrong += ["algorithm-not-allowed"] if algorithm not in usable else []
    signed_at = _moment(header.get("sigT"))
    if signed_at is None or abs(signed_at - at) > clock_tolerance():
        wrong.append("time-off")
    if (role and named != role) or not _states_purpose(header, named):
        wrong.append("role-differs")
    wrong += _chained(_text(header, "prev"), prev)
    chain, signer = _chain(header), ""
    try:
        signer = check_chain(chain, trust_pem, at, persons)
    except CertificateRefused as refused:
        wrong.append(refused.code)
    if "algorithm-not-allowed" not in wrong:
        wrong += _signature_problem(jws, payload, header, chain, algorithm)
    return Judged(
        tuple(reason(code) for code in dict.fromkeys(wrong)),
        algorithm=algorithm,
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
    encoded = jws.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
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
    jws: str, payload: bytes, header: Mapping[str, Any], chain: Sequence[bytes], algorithm: str
) -> list[str]:
    if "sha256" in header and header["sha256"] != hashlib.sha256(payload).hexdigest():
        return ["payload-differs"]
    try:
        public = x509.load_der_x509_certificate(chain[0]).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        registry = _Sizes(algorithms=[algorithm], strict_check_header=False)
        jose.deserialize_compact(jws, _jwk(algorithm, pem), registry=registry, payload=payload)
    except (JoseError, ValueError, TypeError, IndexError, KeyError):
        return ["signature-invalid"]
    return []


def _algorithm_for(key: Any) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: "ES256", 384: "ES384"}[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, rsa.RSAPrivateKey):
        return "PS256"
    raise ValueError("no known signature algorithm fits this kind of key")


# The registry: which kind of key each algorithm uses. A new algorithm is one line here and one in policy.toml.
_KEYS: Mapping[str, type[ECKey] | type[OKPKey] | type[RSAKey]] = {
    "ES256": ECKey,
    "ES384": ECKey,
    "EdDSA": OKPKey,
    "Ed25519": OKPKey,
    "PS256": RSAKey,
    "RS256": RSAKey,
}


def _jwk(algorithm: str, pem: bytes) -> Key:
    return _KEYS[algorithm].import_key(pem)


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None

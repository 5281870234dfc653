"""The service's own seal: a detached compact JWS over any bytes, saying what they are, when, and what went before.

The protected header carries the key (`kid`), the kind of thing sealed (`typ`), the service's time (`sigT`), the payload's
digest (`sha256`, so that "other content" and "other key" can be told apart) and, in a chain, `prev`: the SHA-256 of the
seal before it. One function seals audit rows, released reports and closed cases alike; a person's signature is `jws`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from slipring.fhir.search.moment import zoned
from slipring.signing.jws import header_of, jws_sha256

ALGORITHM = "ES256"
# A process signs with the key it loaded up to a second ago; nothing else may be signed after a key's last moment.
_ROTATION_TOLERANCE = timedelta(seconds=60)


class _Sizes(jose.JWSRegistry):
    max_payload_length = 64_000_000  # a rendered report; the library's default is for tokens


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The private key a service seals with now."""

    kid: str
    key: ECKey


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A published key: whose it is and while it sealed; `until` is None as long as it does."""

    kid: str
    service: str
    key: ECKey
    since: datetime
    until: datetime | None = None

    def valid_at(self, moment: datetime) -> bool:
        """Whether a seal of this moment may carry it."""
        late = self.until is not None and moment > self.until + _ROTATION_TOLERANCE
        return not late and moment >= self.since - _ROTATION_TOLERANCE


@dataclass(frozen=True, slots=True)
class Examined:
    """What a seal says of itself, and every reason against it as a code."""

    reasons: tuple[str, ...]
    kid: str = ""
    at: datetime | None = None
    previous: str = ""

    @property
    def valid(self) -> bool:
        """Whether it stands."""
        return not self.reasons


def seal(payload: bytes, kind: str, key: SealingKey, at: datetime, previous: str = "") -> str:
    """Seal bytes at the service's time; `previous` is the SHA-256 of the seal before it in a chain."""
    header: dict[str, Any] = {
        "alg": ALGORITHM,
        "kid": key.kid,
        "typ": f"{kind}+jws",
        "sigT": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    if previous:
        header["prev"] = previous
    registry = _Sizes(algorithms=[ALGORITHM], strict_check_header=False)
    return str(jose.detach_content(jose.serialize_compact(header, payload, key.key, registry=registry)))


def examine(jws: str, payload: bytes, kind: str, keys: Mapping[str, KnownKey]) -> Examined:
    """Judge a seal by the published keys; the time that counts is the one in the seal."""
    header = header_of(jws)
    if not isinstance(header, dict):
        return Examined(("malformed",))
    kid, at = str(header.get("kid", "")), zoned(header.get("sigT"))
    wrong: list[str] = []
    if header.get("alg") != ALGORITHM or "crit" in header or "b64" in header:
        wrong.append("header-unsupported")
    wrong += ["kind-differs"] if header.get("typ") != f"{kind}+jws" else []
    wrong += ["time-missing"] if at is None else []
    known = keys.get(kid)
    if known is None:
        wrong.append("key-unknown")
    elif at is not None and not known.valid_at(at):
        wrong.append("key-not-valid-then")
    if header.get("sha256") != hashlib.sha256(payload).hexdigest():
        wrong.append("payload-differs")
    elif known is not None and "header-unsupported" not in wrong:
        wrong += _signature_problem(jws, payload, known.key)
    return Examined(tuple(wrong), kid, at, str(header.get("prev", "")))


def canonical(tree: Mapping[str, Any]) -> bytes:
    """RFC 8785 text of an object whose names are ASCII and whose values are texts, whole numbers and booleans."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _signature_problem(jws: str, payload: bytes, key: ECKey) -> list[str]:
    try:
        registry = _Sizes(algorithms=[ALGORITHM], strict_check_header=False)
        jose.deserialize_compact(jws, key, registry=registry, payload=payload)
    except (JoseError, ValueError, TypeError, KeyError):
        return ["signature-invalid"]
    return []


__all__ = ["Examined", "KnownKey", "SealingKey", "canonical", "examine", "jws_sha256", "seal"]

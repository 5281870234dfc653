"""The signature of a notification: an HMAC by a secret that only the subscriber and we have.

`Slipring-Signature: t=<seconds since 1970>,v1=<hex>`; the MAC is HMAC-SHA-256 (RFC 2104) over the time's digits, a full
stop and the body's bytes. While a secret is being replaced there is one `v1` for each, the new one first. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HEADER = "Slipring-Signature"
_TIME_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and until when it signs; the newest has no end."""

    value: str
    until: datetime | None = None


def rotated(standing: Sequence[Secret], value: str, until: datetime) -> list[Secret]:
    """A new secret; the one before signs beside it until then, older ones no more."""
    return [Secret(value), *(Secret(one.value, until) for one in standing[:1])]


def signed(secrets: Sequence[Secret], body: bytes, now: datetime) -> str:
    """The header's value, "" where no secret was made."""
    seconds = str(int(now.timestamp()))
    text = seconds.encode() + b"." + body
    macs = [
        hmac.new(secret.value.encode(), text, hashlib.sha256).hexdigest()
        for secret in secrets
        if secret.until is None or now < secret.until
    ]
    return ",".join([f"t={seconds}", *(f"v1={mac}" for mac in macs)]) if macs else ""


def stands(header: str, secrets: Sequence[str], body: bytes, now: datetime, within: timedelta) -> bool:
    """Whether a header that somebody sent to us is made by one of these secrets over this body, and not long ago.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> header = signed([Secret("s")], b"{}", noon)
    >>> [stands(header, ["s"], body, noon, timedelta(minutes=5)) for body in (b"{}", b"[]")]
    [True, False]
    """
    time, *macs = header.split(",")
    seconds = time.removeprefix("t=")
    if not time.startswith("t=") or not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _TIME_DIGITS):
        return False
    if abs(now.timestamp() - int(seconds)) > within.total_seconds():
        return False
    text = seconds.encode() + b"." + body
    right = [f"v1={hmac.new(one.encode(), text, hashlib.sha256).hexdigest()}".encode() for one in secrets]
    return any(hmac.compare_digest(mac.strip().encode(), one) for mac in macs for one in right)


def written(secrets: Sequence[Secret]) -> str:
    """The secrets as text, to be sealed."""
    return json.dumps([[one.value, one.until.isoformat() if one.until else None] for one in secrets])


def read(text: str) -> list[Secret]:
    """Back from text; "" = none."""
    return [
        Secret(value, datetime.fromisoformat(until) if until else None) for value, until in json.loads(text or "[]")
    ]

"""Whether a contact route is proven to reach whose it is: a code was sent over it and said back, and tests since were answered.

What is known stands in an extension of the Endpoint that only this service writes. Of a code only its digest is kept,
locked; a code that is out is good for some hours and a few tries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Save, Stored, Vault, successor

from slipring_critical.cases.facts import CHANNEL, code_of
from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS

CHECK = f"{CANONICAL}/StructureDefinition/route-check"
ROUTES = f"Endpoint?status=active&connection-type={CHANNEL}|"
VERIFIED, UNVERIFIED, OVERDUE, FAILING = "verified", "unverified", "overdue", "failing"
SHIPPED = Path(__file__).parents[1] / "data" / "route_check.toml"
_FIRST_WAIT = timedelta(seconds=5)
_SALT_BYTES, _SECRET_BYTES, _WORK = 16, 16, 4096


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The numbers of route_check.toml; `confirmed`: the department's own, and it says so."""

    digits: int
    tries: int
    good_for: timedelta
    interval: timedelta
    again: timedelta
    pause: timedelta
    longest_wait: timedelta
    confirmed: bool

    def wait(self, tries: int) -> timedelta:
        """How long after so many failed tries to send a code the next one comes; nobody is in danger meanwhile."""
        return min(self.longest_wait, _FIRST_WAIT * 2.0 ** min(tries - 1, 20))


@dataclass(frozen=True, slots=True)
class Code:
    """What goes out over a route: a code that is said back, and the secret of a link that is tapped."""

    code: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of one route."""

    verified: datetime | None = None  # when somebody last proved it
    asked: datetime | None = None  # when the last code was made
    until: datetime | None = None  # how long it is good; None: none is out
    tries: int = 0  # that are left
    failed: str = ""  # why the last message did not arrive
    locked: str = field(default="", repr=False)

    def state(self, now: datetime, rhythm: Rhythm) -> str:
        """verified | unverified | overdue (a test was not answered in time) | failing (a message did not arrive)."""
        if self.failed:
            return FAILING
        if self.verified is None:
            return UNVERIFIED
        late = self.verified + rhythm.interval + rhythm.good_for
        return OVERDUE if now >= late or (self.until is not None and now >= self.until) else VERIFIED

    def unanswered(self, now: datetime) -> bool:
        """Whether a code went out and its time is over."""
        return self.until is not None and now >= self.until

    def asked_anew(self, code: Code, now: datetime, rhythm: Rhythm, vault: Vault) -> Check:
        """With a code that takes the place of any other."""
        salt = secrets.token_hex(_SALT_BYTES)
        kept = {"salt": salt, "code": _digest(code.code, salt), "link": _digest(code.secret, salt)}
        locked = vault.locked(json.dumps(kept))
        return replace(self, asked=now, until=now + rhythm.good_for, tries=rhythm.tries, locked=locked)

    def fits(self, said: str, vault: Vault, *, link: bool = False) -> bool:
        """Whether a code, or the secret of a link, is the one that went out; the caller looks at tries and time."""
        try:
            kept = json.loads(vault.opened(self.locked)) if self.locked else {}
        except ValueError:  # locked by another key, of another database say
            kept = {}
        wanted = str(kept.get("link" if link else "code", ""))
        return bool(wanted) and hmac.compare_digest(wanted, _digest(said, str(kept["salt"])))

    def proven(self, now: datetime) -> Check:
        """Said back: nothing is out any more."""
        return Check(verified=now)


def new_code(rhythm: Rhythm) -> Code:
    """One nobody can guess."""
    number = secrets.randbelow(10**rhythm.digits)
    return Code(f"{number:0{rhythm.digits}d}", secrets.token_urlsafe(_SECRET_BYTES))


def check_of(endpoint: Resource) -> Check:
    """What is known of a route."""
    none: Resource = {}
    found = next((one for one in endpoint.get("extension", []) if one.get("url") == CHECK), none)
    parts = {part["url"]: next((v for k, v in part.items() if k != "url"), None) for part in found.get("extension", [])}
    at = {name: datetime.fromisoformat(str(parts[name])) for name in ("verified", "asked", "until") if name in parts}
    return Check(
        at.get("verified"), at.get("asked"), at.get("until"),
        int(parts.get("tries") or 0), str(parts.get("failed") or ""), str(parts.get("locked") or ""),
    )  # fmt: skip


def with_check(endpoint: Resource, check: Check | None) -> list[Any]:
    """The extensions of a route with what is known of it now, in the place of what was."""
    others = [one for one in endpoint.get("extension", []) if one.get("url") != CHECK]
    return [*others, _as_extension(check)] if check is not None and check != Check() else others


def as_known(route: Stored, check: Check) -> Save:
    """The route stored with what is known of it now."""
    return successor(route, extension=with_check(route.resource, check))


def state_of(endpoint: Resource, now: datetime, rhythm: Rhythm) -> str:
    """How a route stands; a board of our own has nothing to prove."""
    channel = CHANNELS.get(channel_of(endpoint))
    return VERIFIED if channel is not None and not channel.leaves else check_of(endpoint).state(now, rhythm)


def channel_of(endpoint: Resource) -> str:
    """The channel of a contact route, '' of any other Endpoint."""
    return code_of({"coding": [endpoint.get("connectionType", {})]}, CHANNEL)


def rhythm(file: str = "") -> Rhythm:
    """The numbers of a file of the department's, or the shipped ones; ValueError where it holds none."""
    return _read(Path(file) if file else SHIPPED)


@cache
def _read(file: Path) -> Rhythm:
    written: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))
    try:
        numbers = {name: written[name] for name in _SENSIBLE}
        confirmed = str(written["confidence"]).startswith("S")
    except KeyError as missing:
        raise ValueError(f"{file.name} does not say {missing}") from missing
    for name, (least, most) in _SENSIBLE.items():
        if type(numbers[name]) is not int or not least <= numbers[name] <= most:
            raise ValueError(f"{file.name}: {name} is a whole number from {least} to {most}")
    return Rhythm(
        numbers["digits"],
        numbers["tries"],
        timedelta(hours=numbers["code-hours"]),
        timedelta(days=numbers["interval-days"]),
        timedelta(days=numbers["again-days"]),
        timedelta(seconds=numbers["pause-seconds"]),
        timedelta(minutes=numbers["longest-wait-minutes"]),
        confirmed,
    )


# What a number can mean at all: fewer digits could be guessed within the tries.
_SENSIBLE = {
    "digits": (6, 10), "tries": (1, 10), "code-hours": (1, 24 * 14), "interval-days": (1, 366),
    "again-days": (1, 90), "pause-seconds": (0, 3600), "longest-wait-minutes": (1, 1440),
}  # fmt: skip


def _digest(said: str, salt: str) -> str:
    return hashlib.scrypt(said.encode(), salt=salt.encode(), n=_WORK, r=8, p=1).hex()


def _as_extension(check: Check) -> Resource:
    told = (
        ("verified", "valueInstant", check.verified and instant(check.verified)),
        ("asked", "valueInstant", check.asked and instant(check.asked)),
        ("until", "valueInstant", check.until and instant(check.until)),
        ("tries", "valueInteger", check.tries if check.until else None),
        ("failed", "valueCode", check.failed or None),
        ("locked", "valueString", check.locked or None),
    )
    return {"url": CHECK, "extension": [{"url": url, name: value} for url, name, value in told if value is not None]}

"""What a contact route holds that nobody may read back: its address where that is a key, its headers, what it is signed with.

The Endpoint shows a mask; the values lie locked in an extension of it, and only sending opens them. A client that sends
the mask back means what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from slipring.fhir.channel_headers import MASK, header_issues, kept_again, masked, parted
from slipring.fhir.delivery.signature import Secret, read, rotated, written
from slipring.fhir.outcome import Issue
from slipring.fhir.service import CANONICAL, Resource, Vault

from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import Line

KEPT = f"{CANONICAL}/StructureDefinition/kept-locked"
_TAIL, _LONG_ENOUGH = 4, 24  # of what is shorter, four characters would be too much to show


@dataclass(frozen=True, slots=True)
class Kept:
    """The locked part of one route."""

    address: str = field(default="", repr=False)
    headers: tuple[str, ...] = field(default=(), repr=False)  # "Name: value"
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def line(self) -> Line:
        """For sending."""
        return Line(self.address, dict(parted(one) for one in self.headers), self.secrets)


def kept_of(endpoint: Resource | None, vault: Vault) -> Kept:
    """What a stored route holds; an address that is no secret stands in the open."""
    locked = _locked(endpoint or {})
    told: dict[str, Any] = json.loads(vault.opened(locked)) if locked else {}
    address = told.get("address") or str((endpoint or {}).get("address", ""))
    return Kept(address, tuple(told.get("headers", ())), tuple(read(told.get("signing", ""))))


def line_of(endpoint: Resource, vault: Vault) -> Line:
    """Where a route leads and what goes with the message."""
    return kept_of(endpoint, vault).line


def to_keep(endpoint: Resource, before: Resource | None, vault: Vault) -> Kept:
    """What is kept of a route as it is written: new values, and the standing ones wherever a mask was sent."""
    standing = kept_of(before, vault)
    address = str(endpoint.get("address", ""))
    if before is not None and _channel(before) == _channel(endpoint) and address == before.get("address"):
        address = standing.address
    headers = kept_again([one for one in endpoint.get("header", []) if isinstance(one, str)], standing.headers)
    return Kept(address, tuple(headers), standing.secrets)


def issues_of(endpoint: Resource, kept: Kept, before: Resource | None) -> list[Issue]:
    """Masks that stand for nothing, and headers that are none of the receiver's."""
    found = [
        replace(issue, at=issue.at.replace("Subscription.channel", "Endpoint"))
        for issue in header_issues(endpoint.get("header", []), (before or {}).get("header", []))
    ]
    if MASK in kept.address:
        found.append(
            Issue(
                "business-rule",
                zh="地址中的星号表示保留已存的值，但没有与之相符的值；请填写完整的地址。",
                en="The mask stands for the address that is kept, and none is kept that it would fit: write the address.",
                at="Endpoint.address",
                detail="critical.address-not-kept",
            )
        )
    return found


def members_of(endpoint: Resource, kept: Kept, vault: Vault) -> Mapping[str, Any]:
    """The members of the Endpoint as they are stored: masked, with the locked extension."""
    channel = CHANNELS[_channel(endpoint)]
    told = {"headers": list(kept.headers), "signing": written(kept.secrets) if kept.secrets else ""}
    if channel.secret:
        told["address"] = kept.address
    others = [one for one in endpoint.get("extension", []) if one.get("url") != KEPT]
    locked = [{"url": KEPT, "valueString": vault.locked(json.dumps(told))}] if any(told.values()) else []
    members: dict[str, Any] = {"extension": [*others, *locked]}
    if channel.secret:
        members["address"] = shown(kept.address)
    if kept.headers:
        members["header"] = masked(kept.headers)
    return members


def signed_anew(kept: Kept, secret: str, until: datetime) -> Kept:
    """With a new secret; the one before signs beside it until then."""
    return replace(kept, secrets=tuple(rotated(kept.secrets, secret, until)))


def shown(address: str) -> str:
    """A secret address as it may be seen: its scheme and, of a long one, its tail."""
    scheme = address.partition(":")[0]
    return f"{scheme}:{MASK}{address[-_TAIL:] if len(address) >= _LONG_ENOUGH else ''}"


def _locked(endpoint: Resource) -> str:
    extensions: Sequence[Resource] = endpoint.get("extension", [])
    return next((str(one.get("valueString", "")) for one in extensions if one.get("url") == KEPT), "")


def _channel(endpoint: Resource) -> str:
    return str(endpoint.get("connectionType", {}).get("code", ""))

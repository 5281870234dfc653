"""An outside Subscription as a delivery lane: what the deliverer needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.channel_headers import sealed
from slipring.fhir.service import Resource
from slipring.fhir.store.batch import Lane

_IG = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
PROFILE = f"{_IG}/backport-subscription"
FILTER, CONTENT = f"{_IG}/backport-filter-criteria", f"{_IG}/backport-payload-content"
HEARTBEAT, TIMEOUT = f"{_IG}/backport-heartbeat-period", f"{_IG}/backport-timeout"
MAX_COUNT, CHANNEL_TYPE = f"{_IG}/backport-max-count", f"{_IG}/backport-channel-type"


def values_of(element: Mapping[str, Any] | None, url: str) -> list[Any]:
    """The values of an extension of an element, whatever their type."""
    listed = (element or {}).get("extension", [])
    return [
        value
        for extension in listed
        if extension.get("url") == url
        for name, value in extension.items()
        if name.startswith("value")
    ]


def is_topical(tree: Resource) -> bool:
    """Whether this is a Backport subscription: by its profile, by what it asks for, or by naming a canonical address."""
    channel = tree.get("channel", {})
    return (
        PROFILE in tree.get("meta", {}).get("profile", [])
        or bool(values_of(channel.get("_payload"), CONTENT))
        or bool(values_of(tree.get("_criteria"), FILTER))
        or "://" in tree.get("criteria", "").partition("?")[0]
    )


def lane_of(tree: Resource, caller: Caller, seal: Callable[[bytes], bytes], *, deleted: bool) -> Lane:
    """The lane of a Subscription that was accepted; whoever writes it is who is told. `seal` encrypts header values."""
    channel = tree.get("channel", {})
    topical = is_topical(tree)
    given = {name: next(iter(values_of(channel, url)), 0) for name, url in _NUMBERS.items()}
    end = tree.get("end")
    return Lane(
        tree["id"],
        "" if topical else tree.get("criteria", ""),
        channel.get("endpoint", ""),
        channel.get("payload", ""),
        sealed(channel.get("header", []), seal),
        "off" if deleted else tree.get("status", ""),
        topic=tree.get("criteria", "") if topical else "",
        filters=filters_of(tree),
        content=next(iter(values_of(channel.get("_payload"), CONTENT)), "empty") if topical else "",
        max_count=max(1, given["max_count"]) if topical else 1,
        heartbeat_seconds=given["heartbeat"] if topical else 0,
        timeout_seconds=given["timeout"],
        ends_at=datetime.fromisoformat(end) if end else None,
        client=caller.client,
        practitioner=caller.practitioner or "",
        scopes=sorted(caller.scopes),
        patient=caller.patient or "",
    )


_NUMBERS = {"heartbeat": HEARTBEAT, "timeout": TIMEOUT, "max_count": MAX_COUNT}


def filters_of(tree: Resource) -> list[str]:
    """The filters of a Backport subscription as it writes them."""
    return [str(value) for value in values_of(tree.get("_criteria"), FILTER)]

"""Whether the channel of a Subscription is one that is offered: its type, payload, endpoint, headers and numbers."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from slipring.fhir.delivery import lane
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Resource

CHANNELS = ("rest-hook",)
CONTENTS = ("empty", "id-only", "full-resource")
_PAYLOADS = ("application/fhir+json", "application/json")
_FORBIDDEN_HOSTS = ("metadata", "metadata.google.internal")
_LONGEST_TIMEOUT_SECONDS = 60
_SHORTEST_HEARTBEAT_SECONDS = 5
_MOST_EVENTS = 100


def check_topical(asked: Resource) -> None:
    """What a Backport subscription's channel must say beside that."""
    _check_content(asked)
    _check_numbers(asked)


def check_channel(asked: Resource) -> None:
    """What every Subscription's channel must be: 422 at the element otherwise."""
    channel = asked["channel"]
    others = lane.values_of(channel.get("_type"), lane.CHANNEL_TYPE)
    if channel.get("type") not in CHANNELS or others:
        raise unprocessable(
            f"The channel types offered are: {', '.join(CHANNELS)}.",
            f"提供的通道类型：{'、'.join(CHANNELS)}。",
            at="Subscription.channel.type",
            detail="kernel.channel-not-offered",
        )
    if channel.get("payload", "") not in ("", *_PAYLOADS):
        raise unprocessable(
            "The payload is application/fhir+json or absent.",
            "payload 只能是 application/fhir+json 或不填。",
            at="Subscription.channel.payload",
            detail="kernel.channel-payload",
        )
    _check_endpoint(channel.get("endpoint", ""))
    if any("\n" in header or "\r" in header or ":" not in header for header in channel.get("header", [])):
        raise unprocessable(
            "A header is `Name: value`.",
            "header 的格式为“名称: 值”。",
            at="Subscription.channel.header",
            detail="kernel.channel-header",
        )


def _check_content(asked: Resource) -> None:
    """The profile demands a payload and says how much of the resources it holds (backport-payload-content)."""
    channel = asked["channel"]
    given = lane.values_of(channel.get("_payload"), lane.CONTENT)
    if not channel.get("payload") or len(given) != 1 or given[0] not in CONTENTS:
        raise unprocessable(
            f"A topic subscription has a payload with the extension backport-payload-content: {', '.join(CONTENTS)}.",
            f"主题订阅须有 payload 及扩展 backport-payload-content：{'、'.join(CONTENTS)}。",
            at="Subscription.channel.payload",
            detail="kernel.payload-content",
        )


def _check_numbers(asked: Resource) -> None:
    bounds = {
        lane.HEARTBEAT: (_SHORTEST_HEARTBEAT_SECONDS, 31 * 86_400),
        lane.TIMEOUT: (1, _LONGEST_TIMEOUT_SECONDS),
        lane.MAX_COUNT: (1, _MOST_EVENTS),
    }
    listed = asked["channel"].get("extension", [])
    for position, extension in enumerate(listed):
        if extension.get("url") not in bounds:
            continue
        least, most = bounds[extension["url"]]
        value = next((value for name, value in extension.items() if name.startswith("value")), None)
        once = sum(other.get("url") == extension["url"] for other in listed) == 1
        if not once or isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            name = extension["url"].rpartition("/")[2]
            raise unprocessable(
                f"{name} is one whole number from {least} to {most}.",
                f"{name} 须为 {least} 至 {most} 的一个整数。",
                at=f"Subscription.channel.extension[{position}]",
                detail="kernel.channel-number",
            )


def _check_endpoint(endpoint: str) -> None:
    """Link-local and metadata addresses are refused; loopback is decided when sending (demo only)."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise unprocessable(
            "The endpoint is an http(s) address.",
            "endpoint 须为 http(s) 地址。",
            at="Subscription.channel.endpoint",
            detail="kernel.endpoint-address",
        )
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        forbidden = parts.hostname.lower() in _FORBIDDEN_HOSTS
    else:
        forbidden = address.is_link_local or address.is_multicast or address.is_unspecified
    if forbidden:
        raise unprocessable(
            "This address may not be notified.",
            "该地址不允许作为通知端点。",
            at="Subscription.channel.endpoint",
            detail="kernel.endpoint-forbidden",
        )

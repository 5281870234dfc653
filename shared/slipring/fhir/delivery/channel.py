"""Whether the channel of a Subscription is one that is offered: its type, payload, endpoint, headers and numbers."""

from __future__ import annotations

from slipring.fhir.channel_headers import header_issues
from slipring.fhir.delivery import lane
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import Resource, Write

CHANNELS = ("rest-hook",)
CONTENTS = ("empty", "id-only", "full-resource")
_PAYLOADS = ("application/fhir+json", "application/json")
_LONGEST_TIMEOUT_SECONDS = 60
_SHORTEST_HEARTBEAT_SECONDS = 5
_MOST_EVENTS = 100


def check_topical(asked: Resource) -> None:
    """What a Backport subscription's channel must say beside that."""
    _check_content(asked)
    _check_numbers(asked)


def check_channel(write: Write, endpoints: EndpointPolicy) -> None:
    """What every Subscription's channel must be: 422 at the element otherwise."""
    channel = write.resource["channel"]
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
    refused = endpoints.judge(channel.get("endpoint", ""), "Subscription.channel.endpoint")
    if refused:
        raise FhirError(422, [refused])
    standing = write.before.resource.get("channel", {}) if write.before else {}
    if issues := header_issues(channel.get("header", []), standing.get("header", [])):
        raise FhirError(422, issues)


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

"""One POST to a receiver, bounded in all, and what its answer means for the attempt."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.delivery.notification import Notification
from slipring.fhir.delivery.sending import Answer, Lost, post
from slipring.fhir.outcome import Issue

from slipring_critical.channels.channel import DeliveryFailed, Outside

# Answers that ask for another try later (RFC 9110, RFC 6585); every other 3xx and 4xx is a wrong address or a refusal.
_TRY_AGAIN = frozenset({408, 425, 429})
_NO_ADDRESS = frozenset({"InvalidURL", "UnsupportedProtocol"})
_TOO_SLOW = frozenset({"no answer in time", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"})
_PORTS = {"http": 80, "https": 443}
_REFUSED = "kernel."  # the codes of the endpoint policy begin so


async def posted(address: str, body: bytes, headers: Mapping[str, str], outside: Outside) -> None:
    """Post; any 2xx counts as delivered, redirects are not followed."""
    message = Notification(body, dict(headers))
    try:
        answer = await post(outside.client, address, message, held=outside.held, seconds=outside.timeout_seconds)
    except Lost as lost:
        raise DeliveryFailed("taken-over", permanent=False) from lost
    if not answer.taken:
        raise _failure(answer)


def judged_web_address(address: str, policy: EndpointPolicy) -> Issue | None:
    """What is wrong with an http(s) address, by the policy that all notifications follow."""
    return policy.judge(address, "Endpoint.address")


def host_of(address: str) -> str:
    """The host of an http(s) address; '' for none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def provider_of(address: str) -> str:
    """The provider behind an http(s) address: host and port, for two servers of one host fail apart.

    >>> [provider_of(f"https://{one}") for one in ("Gate.test/ring", "gate.test:443/", "gate.test:8443", "[::1]:99999")]
    ['gate.test:443', 'gate.test:443', 'gate.test:8443', '']
    """
    try:
        parts = urlsplit(address)
        return f"{parts.hostname or ''}:{parts.port or _PORTS.get(parts.scheme, '')}"
    except ValueError:
        return ""


def _failure(answer: Answer) -> DeliveryFailed:
    if answer.status:
        permanent = answer.status < 500 and answer.status not in _TRY_AGAIN
        return DeliveryFailed(f"http-{answer.status}", permanent=permanent, after_seconds=answer.retry_after_seconds)
    if answer.error in _NO_ADDRESS:
        return DeliveryFailed("bad-address", permanent=True)
    if answer.error.startswith(_REFUSED):  # trying again will not help whoever waits to be rung
        return DeliveryFailed("forbidden-address", permanent=True)
    return DeliveryFailed("timeout" if answer.error in _TOO_SLOW else "unreachable", permanent=False)

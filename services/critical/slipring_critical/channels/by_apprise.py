"""Messengers, mail, SMS and voice gateways through Apprise: the address is an Apprise URL, which is a key and kept so.

Apprise blocks and brings its own client, so each message goes out in a thread of its own, in which every connection is
judged. A thread cannot be ended: one whose provider hangs is left behind when its time is over, and counts as under way
until it comes back, so that a provider never holds more than a few of them.
"""

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import Issue

from slipring_critical.channels.channel import Channel, DeliveryFailed, Line, Message, Outside
from slipring_critical.channels.guarded import Guard, guarded
from slipring_critical.channels.providers import bounds

_FILE = Path(__file__).parents[1] / "data" / "apprise.toml"
_PERMANENT = frozenset({"bad-address", "forbidden-address"})
_under_way: dict[str, int] = {}  # threads by provider
_COUNTING = Lock()


@dataclass(frozen=True, slots=True)
class Offer:
    """What one medium takes."""

    schemes: frozenset[str]
    hosted: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()


@cache
def offers() -> Mapping[str, Offer]:
    """By medium."""
    written = tomllib.loads(_FILE.read_text("utf-8"))
    return {
        medium: Offer(*(frozenset(one.get(name, ())) for name in ("schemes", "hosted", "ports")))
        for medium, one in written.items()
        if isinstance(one, dict)
    }


def by_apprise(medium: str) -> Channel:
    """The channel of one medium."""

    async def deliver(message: Message, line: Line, outside: Outside) -> None:
        await _deliver(medium, message, line.address, outside)

    def judge(address: str, policy: EndpointPolicy) -> Issue | None:
        return _judged(medium, address, policy)

    return Channel(deliver, judge, _provider_of, secret=True)


async def _deliver(medium: str, message: Message, address: str, outside: Outside) -> None:
    provider = _provider_of(address)
    await asyncio.to_thread(loaded)  # half a second once in a process, which is not the provider's
    kept = 0 if message.level == "1" else bounds().kept_for_level_1  # also of those that are left behind
    if _under_way.get(provider, 0) >= bounds().at_once - kept:
        raise DeliveryFailed("provider-busy", permanent=False)
    done = _in_a_thread(provider, lambda: _told(medium, address, message.short, outside))
    try:
        reason = await asyncio.wait_for(asyncio.wrap_future(done), outside.timeout_seconds)
    except TimeoutError as error:
        raise DeliveryFailed("timeout", permanent=False) from error
    if reason:
        raise DeliveryFailed(reason, permanent=reason in _PERMANENT)


def _in_a_thread(provider: str, work: Callable[[], str]) -> Future[str]:
    """Not of a pool: one that hangs would be waited for when the process ends."""
    done: Future[str] = Future()

    def run() -> None:
        try:
            reason = work()
        except Exception:  # a provider's answer that Apprise cannot read; its words may hold the address
            reason = "not-taken"
        with _COUNTING:
            _under_way[provider] -= 1
        if done.set_running_or_notify_cancel():
            done.set_result(reason)

    with _COUNTING:
        _under_way[provider] = _under_way.get(provider, 0) + 1
    Thread(target=run, name="telling", daemon=True).start()
    return done


def _told(medium: str, address: str, text: str, outside: Outside) -> str:
    """Send in this thread; '' when the provider took it, else why not. Apprise itself says no more than yes or no."""
    service = _service(medium, address)
    if service is None:
        return "bad-address"
    offer = offers()[medium]
    scheme = "https" if service.secure or _scheme(address) not in offer.hosted else "http"
    _bounded(service, outside.timeout_seconds)
    with guarded(Guard(outside.policy, scheme, offer.ports)) as guard:
        if not outside.held():
            return "taken-over"
        taken = bool(service.notify(body=text, title=""))
    if taken:
        return ""
    return "forbidden-address" if guard.refused else "not-taken"


def _bounded(service: Any, seconds: float) -> None:
    """No longer than we wait, no second try of its own: those are ours, under the same attempt."""
    service.socket_connect_timeout = service.socket_read_timeout = seconds
    service.retry = 0


@cache
def loaded() -> Any:
    """Apprise with all of its services, silenced: its words hold addresses."""
    import apprise

    quiet = logging.getLogger("apprise")
    quiet.handlers, quiet.propagate, quiet.disabled = [logging.NullHandler()], False, True
    apprise.Apprise.instantiate("json://localhost")
    return apprise


def _service(medium: str, address: str) -> Any:
    """The service that Apprise makes of an address; None when it is none, or none of this medium."""
    if _scheme(address) not in offers()[medium].schemes:
        return None
    apprise = loaded()
    asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory")
    try:
        service = apprise.Apprise.instantiate(address, asset=asset)
    except Exception:  # an address that its parser cannot read; its words may hold it
        return None
    return service if service is not None and service.verify_certificate else None


def _judged(medium: str, address: str, policy: EndpointPolicy) -> Issue | None:
    service = _service(medium, address)
    if service is None:
        return _no_address(medium)
    if _scheme(address) not in offers()[medium].hosted:
        return None
    host = getattr(service, "smtp_host", "") or service.host or ""
    port = f":{service.port}" if service.port and service.port not in offers()[medium].ports else ""
    return policy.judge(f"{'https' if service.secure else 'http'}://{host}{port}", "Endpoint.address")


def _no_address(medium: str) -> Issue:
    known = ", ".join(sorted(offers()[medium].schemes))
    return Issue(
        "business-rule",
        zh=f"该通道的地址须为 Apprise 地址，且须校验证书；可用：{known}。",
        en=f"The address of this channel is an Apprise URL that checks certificates; schemes: {known}.",
        at="Endpoint.address",
        detail="critical.apprise-address",
    )


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower()


def _provider_of(address: str) -> str:
    """The service, and of one with servers of its own also which."""
    scheme = _scheme(address)
    if any(scheme in offer.hosted for offer in offers().values()):
        host = address.partition("://")[2].split("/")[0].split("?")[0].rpartition("@")[2]
        return f"{scheme}:{host.lower()}"
    return scheme

"""What the department has set: addresses, the fallback route, and numbers that nobody has confirmed."""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from slipring.fhir.service import Service, Stored
from slipring.rules.finding import Limit
from slipring.runtime.settings import Settings
from slipring.upkeep.doctor.remark import Level, Remark, data, graded

_PORTS = {"front": 8100, "order": 8101, "consent": 8102, "report": 8103, "critical": 8104}
_PATIENCE_SECONDS = 3.0


def look_at_addresses(settings: Settings) -> Iterator[Remark]:
    """Does each address that others are told answer? A service may be part of the front's process."""
    front = (settings.front_url or settings.url or f"http://127.0.0.1:{_PORTS['front']}").rstrip("/")
    with httpx.Client(timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        for name, port in _PORTS.items():
            given = str(getattr(settings, f"{name}_url")).rstrip("/")
            places = [given] if given else [front, *([] if name == "front" else [f"http://127.0.0.1:{port}"])]
            path = "/health/live" if name == "front" else f"/{name}/health/live"
            if not any(_answers(http, place + path) for place in places):
                yield Remark("address-silent", Level.WARN, name, " ".join(places))
    if settings.url.startswith("https://"):
        yield from _tls(settings.url)


def _answers(http: httpx.Client, address: str) -> bool:
    try:
        return http.get(address).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _tls(url: str) -> Iterator[Remark]:
    """The days left of the certificate that clients see."""
    parts = urlsplit(url)
    try:
        with (
            socket.create_connection((parts.hostname or "", parts.port or 443), _PATIENCE_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            ends = str((secure.getpeercert() or {})["notAfter"])
    except (OSError, KeyError):
        yield Remark("tls-unseen", Level.UNSEEN, url)
        return
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - datetime.now(UTC)).days
    yield graded("certificate-days", days, url, f"{days} d", low=True)


def look_at_routes(settings: Settings, *, desk: bool) -> Iterator[Remark]:
    """A critical finding must reach somebody when the roster reaches nobody; `desk`: the staffed desk has a route of its own."""
    if not settings.fallback_route and not desk:
        yield Remark("fallback-missing", Level.BAD, "SLIPRING_FALLBACK_ROUTE")


def look_at_mode(settings: Settings, mode: str) -> Iterator[Remark]:
    """The database's mark against what the process would be started as."""
    if settings.demo and mode == "real":
        yield Remark("mode-demo-on-real", Level.BAD, mode)
    if mode == "demo" and settings.url and not _loopback(settings.url):
        yield Remark("mode-demo-public", Level.BAD, settings.url)
    elif mode == "demo":
        yield Remark("mode-demo", Level.WARN, mode)


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def look_beside(services: Mapping[str, Service], data_dir: Path) -> Iterator[Remark]:
    """What stands beside the HTTP addresses of a service, as that service sees it."""
    for service in services.values():
        for one in service.seen(data_dir):
            yield Remark(one.code, Level(one.level), one.about, one.seen)


def look_at_defaults(services: Mapping[str, Service], now: datetime, approved: Sequence[Stored]) -> Iterator[Remark]:
    """Every number in force that nobody has confirmed, most dangerous first; `now` in the department's time zone."""
    waiting = [(name, limit) for name, service in services.items() for limit in service.unconfirmed(now, approved)]
    for name, limit in sorted(waiting, key=lambda pair: (_danger(pair[0], pair[1]), pair[0], pair[1].id)):
        yield Remark(f"unconfirmed-{name}", Level.WARN, limit.id, _shown(limit))


def _danger(name: str, limit: Limit) -> int:
    order: list[str] = data()["danger"]["order"]
    full = f"{name}/{limit.id}"
    return next((place for place, pattern in enumerate(order) if fnmatch.fnmatch(full, pattern)), len(order))


def _shown(limit: Limit) -> str:
    value = limit.value
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} {content}" for name, content in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(str, value[:6])) + (" ..." if len(value) > 6 else "")
    return f"{value}{' ' + limit.unit if limit.unit else ''} ({limit.confidence}, {limit.source})"

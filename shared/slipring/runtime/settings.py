"""The settings that every process of the house shares, read once from the environment."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from math import isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.runtime.postgres import default_data_dir

PREFIX = "SLIPRING_"
LOOPBACK = "127.0.0.0/8, ::1"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


class BadSettings(ValueError):
    """A variable that nobody knows, or a value that cannot be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment sets; the defaults run the demo."""

    database_url: str = field(default="", repr=False)  # may hold a password
    data_dir: Path = field(default_factory=default_data_dir)
    url: str = ""
    time_zone: str = "Asia/Shanghai"
    schema_prefix: str = ""
    host: str = "127.0.0.1"
    front_url: str = ""
    order_url: str = ""
    consent_url: str = ""
    report_url: str = ""
    critical_url: str = ""
    demo: bool = False
    max_body_bytes: int = 20 * 1024 * 1024
    max_entries: int = 5000
    body_seconds: float = 60
    cors_origins: str = ""
    follow_max_age_seconds: float = 30
    fallback_route: str = ""
    endpoints_only: str = ""
    endpoints_denied: str = ""
    endpoints_exempt: str = ""
    endpoints_roots: str = ""
    drain_seconds: float = 0
    stop_seconds: int = 8
    step_up_seconds: int = 300
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret_file: str = ""
    reply_secret_file: str = ""
    oidc_claim: str = ""
    event_days: int = 30
    delivery_seconds: float = 10
    deliveries_at_once: int = 8
    log_level: str = "info"
    watchers: str = LOOPBACK
    heartbeat_url: str = field(default="", repr=False)  # who knows it can keep the alarm silent
    heartbeat_seconds: float = 60
    trace_subscribers: bool = False
    client_rate: float = 1000  # requests a second
    client_burst: int = 10_000
    address_rate: float = 50
    address_burst: int = 1000
    max_requests: int = 500
    max_connections: int = 2000
    head_seconds: float = 10
    proxies: str = "127.0.0.1"

    @property
    def zone(self) -> ZoneInfo:
        """The department's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def follow_max_age(self) -> timedelta:
        """How old a copy may be when a gate decides on it."""
        return timedelta(seconds=self.follow_max_age_seconds)

    @property
    def origins(self) -> list[str]:
        """The origins whose pages may call us."""
        return self.listed("cors_origins")

    def listed(self, name: str) -> list[str]:
        """The entries of a setting that is a list with commas."""
        return [entry.strip() for entry in str(getattr(self, name)).split(",") if entry.strip()]

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, extra: Iterable[str] = ()) -> Settings:
        """Read our variables; a SLIPRING_ name that nobody knows is an error, because it is a slip of the pen.

        `extra` are the variables of a service that is not part of this house.
        """
        given = os.environ if environ is None else environ
        _refuse_unknown(given, {*known_variables(), *extra})
        values: dict[str, object] = {}
        for name, kind in ((f.name, f.type) for f in fields(cls)):
            text = given.get(PREFIX + name.upper())
            if text is not None and (text.strip() or kind == "bool"):
                values[name] = _value(PREFIX + name.upper(), str(kind), text.strip())
        return _checked(cls(**values))  # type: ignore[arg-type]  # each value was made for its field's type


@cache
def known_variables() -> Mapping[str, str]:
    """Every variable of the house with the sentence that explains it."""
    listed = tomllib.loads((Path(__file__).parent / "variables.toml").read_text(encoding="utf-8"))
    return {name: str(entry["says"]) for name, entry in listed.items()}


def _refuse_unknown(given: Mapping[str, str], known: set[str]) -> None:
    complaints = []
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            complaints.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "."))
    if complaints:
        raise BadSettings(" ".join(complaints))


def _value(name: str, kind: str, text: str) -> object:
    try:
        match kind:
            case "bool":
                if text.lower() not in _TRUE | _FALSE:
                    raise ValueError(text)
                return text.lower() in _TRUE
            case "int":
                return int(text)
            case "float":
                return _finite(float(text))
            case "Path":
                return Path(text).expanduser()
            case _:
                return text
    except ValueError:
        expected = {"bool": "0 or 1", "int": "a whole number", "float": "a number"}[kind]
        raise BadSettings(f"{name} must be {expected}.") from None


def _finite(number: float) -> float:
    """The number, unless it is none or without end: no comparison would stop it."""
    if not isfinite(number):
        raise ValueError
    return number


def _checked(settings: Settings) -> Settings:
    """Refuse what would only fail later, far from its cause."""
    for name in (
        "max_body_bytes",
        "max_entries",
        "body_seconds",
        "follow_max_age_seconds",
        "stop_seconds",
        "step_up_seconds",
        "event_days",
        "heartbeat_seconds",
        "client_burst",
        "address_burst",
        "max_requests",
        "max_connections",
        "head_seconds",
        "delivery_seconds",
        "deliveries_at_once",
    ):
        if getattr(settings, name) <= 0:
            raise BadSettings(f"{PREFIX}{name.upper()} must be more than 0.")
    for name in (
        "url",
        "front_url",
        "order_url",
        "consent_url",
        "report_url",
        "critical_url",
        "fallback_route",
        "heartbeat_url",
    ):
        if (address := getattr(settings, name)) and not address.startswith(("http://", "https://")):
            raise BadSettings(f"{PREFIX}{name.upper()} must be an address that begins with http:// or https://.")
    if settings.oidc_issuer and not re.match(
        r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]?", settings.oidc_issuer
    ):
        raise BadSettings(f"{PREFIX}OIDC_ISSUER must begin with https://; http:// is for a provider on this machine.")
    for origin in settings.origins:
        if origin != "*" and not re.fullmatch(r"https?://[^/\s,]+", origin):
            raise BadSettings(f"{PREFIX}CORS_ORIGINS must list origins such as https://viewer.example, or *.")
    try:
        [ip_network(one.strip(), strict=False) for one in settings.watchers.split(",") if one.strip()]
    except ValueError:
        raise BadSettings(f"{PREFIX}WATCHERS must list addresses or networks such as 10.1.0.0/16.") from None
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://")):
        raise BadSettings(f"{PREFIX}DATABASE_URL must begin with postgresql://.")
    hosts = re.split(r"[/?#]", settings.database_url.partition("://")[2])[0].rpartition("@")[2].split(",")
    if not all(re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?", host) for host in hosts):
        raise BadSettings(f"{PREFIX}DATABASE_URL must name each host as host or host:port.")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise BadSettings(f"{PREFIX}LOG_LEVEL must be debug, info, warning or error.")
    try:
        ZoneInfo(settings.time_zone)
    except (KeyError, ValueError, OSError):
        raise BadSettings(f"{PREFIX}TIME_ZONE must be an IANA name such as Asia/Shanghai.") from None
    return settings

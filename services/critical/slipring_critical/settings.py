"""The knobs of the critical service, read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.rules.calendar import calendar
from slipring.runtime.postgres import default_data_dir
from slipring.runtime.settings import BadSettings, Settings
from slipring.signing.trust import trusted_root

from slipring_critical.channels.media import languages, media
from slipring_critical.channels.posting import host_of
from slipring_critical.channels.providers import Providers
from slipring_critical.directory.ical_lines import Bounds, bounds
from slipring_critical.directory.proving import Rhythm, rhythm


@dataclass(frozen=True, slots=True)
class CriticalSettings:
    """What a department sets; the defaults run the demo."""

    public_url: str = "http://127.0.0.1:8100/fhir"  # where a receiver finds the case: the front's FHIR address
    fallback_route: str = ""  # a webhook address that is rung last, when the roster reaches nobody
    ladder: str = ""  # a file with the department's own ladders, in the form of ladder.toml; "" = the shipped one
    route_check: str = ""  # a file with the department's own rhythm of tests, in the form of route_check.toml
    roster_import: str = (
        ""  # a file with the department's own bounds of a calendar file, in the form of roster_import.toml
    )
    calendar: str = ""  # a file with the department's own working calendar; "" = the shipped one
    time_zone: str = "Asia/Shanghai"
    endpoints: EndpointPolicy = field(default_factory=partial(EndpointPolicy, demo=True))  # where routes may lead
    channel_timeout_seconds: float = 5.0
    mismatches_until_next_step: int = 2  # wrong read-backs before the next person is rung (mechanisms 8)
    message_language: str = "zh"  # of the words that go to people; receivers' systems get both
    reply_media: frozenset[str] = frozenset()  # media whose gateway gives replies back: their messages carry a code
    push_contact: str = "postmaster@localhost"  # an address of ours for browsers' push services (RFC 8292)
    data_dir: Path = field(default_factory=default_data_dir)
    trust: Path = field(
        default_factory=lambda: trusted_root({})
    )  # the root by which the service's own key is vouched for
    # What this process has learnt of its providers; no setting, and the same as long as the process lives.
    providers: Providers = field(default_factory=Providers, compare=False, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        """The department's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def rhythm(self) -> Rhythm:
        """How often a contact route is tested."""
        return rhythm(self.route_check)

    @property
    def import_bounds(self) -> Bounds:
        """How much of a calendar file is read into a roster."""
        return bounds(self.roster_import)

    @staticmethod
    def from_env(environ: Mapping[str, str] | None = None) -> CriticalSettings:
        """Read this service's variables; links lead to the front (SLIPRING_URL) unless SLIPRING_PUBLIC_URL says otherwise.

        ValueError where a file is no calendar, no rhythm of tests or no bounds of an import: it stops the start, and no ringing.
        """
        given = os.environ if environ is None else environ
        default, house = CriticalSettings(), Settings.from_env(given)
        calendar(given.get("SLIPRING_CALENDAR", ""))
        rhythm(given.get("SLIPRING_ROUTE_CHECK", ""))
        bounds(given.get("SLIPRING_ROSTER_IMPORT", ""))
        return CriticalSettings(
            public_url=(given.get("SLIPRING_PUBLIC_URL") or _front(given) or default.public_url).rstrip("/"),
            fallback_route=given.get("SLIPRING_FALLBACK_ROUTE", default.fallback_route),
            ladder=given.get("SLIPRING_LADDER", default.ladder),
            route_check=given.get("SLIPRING_ROUTE_CHECK", default.route_check),
            roster_import=given.get("SLIPRING_ROSTER_IMPORT", default.roster_import),
            calendar=given.get("SLIPRING_CALENDAR", default.calendar),
            time_zone=given.get("SLIPRING_TIME_ZONE", default.time_zone),
            endpoints=EndpointPolicy.of(house, demo=house.demo),
            channel_timeout_seconds=float(
                given.get("SLIPRING_CHANNEL_TIMEOUT_SECONDS", default.channel_timeout_seconds)
            ),
            mismatches_until_next_step=int(
                given.get("SLIPRING_MISMATCHES_UNTIL_NEXT_STEP", default.mismatches_until_next_step)
            ),
            message_language=_language(given.get("SLIPRING_MESSAGE_LANGUAGE", default.message_language)),
            reply_media=_reply_media(given),
            push_contact=given.get("SLIPRING_PUSH_CONTACT") or f"postmaster@{host_of(given.get('SLIPRING_URL', ''))}",
            data_dir=house.data_dir,
            trust=trusted_root(given),
        )


def _language(given: str) -> str:
    if given not in languages():
        raise BadSettings(f"SLIPRING_MESSAGE_LANGUAGE: {', '.join(languages())}")
    return given


def _reply_media(given: Mapping[str, str]) -> frozenset[str]:
    named = frozenset(one.strip() for one in given.get("SLIPRING_REPLY_MEDIA", "").split(",") if one.strip())
    known = sorted(medium.code for medium in media().values() if medium.rings)
    if not named <= set(known):
        raise BadSettings(f"SLIPRING_REPLY_MEDIA: {', '.join(known)}")
    if named and not given.get("SLIPRING_REPLY_SECRET_FILE"):
        # A code that nobody takes back would leave a receiver waiting for an answer.
        raise BadSettings("SLIPRING_REPLY_MEDIA needs SLIPRING_REPLY_SECRET_FILE")
    return named


def _front(given: Mapping[str, str]) -> str:
    front = given.get("SLIPRING_URL", "").rstrip("/")
    return f"{front}/fhir" if front else ""

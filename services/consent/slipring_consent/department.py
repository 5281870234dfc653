"""What the department has set: this service's settings, and its numbers as they stand today."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.service import Desk
from slipring.rules.limits import LimitBook, Limits

from slipring_consent.gate.own_policy import with_own
from slipring_consent.gate.policy import GatePolicy, policy_on
from slipring_consent.policy_set import APPROVED
from slipring_consent.settings import ConsentSettings


def settings_of(desk: Desk) -> ConsentSettings:
    """The service's settings; a bare desk has the defaults."""
    return desk.settings if isinstance(desk.settings, ConsentSettings) else ConsentSettings()


def today(desk: Desk) -> date:
    """The day it is in the department."""
    return desk.now.astimezone(ZoneInfo(settings_of(desk).time_zone)).date()


async def gate_policy_of(desk: Desk) -> GatePolicy:
    """The gate's policy in force now, with what two people of the department have set otherwise."""
    settings = settings_of(desk)
    policy = policy_on(today(desk), settings.gate, settings.confirmed)
    return with_own(policy, await desk.search(APPROVED), desk.now, settings.time_zone)


def limits_of(desk: Desk, day: date | None = None) -> Limits:
    """The numbers of this service as they stand in the department today, or stood on another day."""
    return _book(settings_of(desk).confirmed).on(day or today(desk))


@cache
def _book(confirmed: frozenset[str]) -> LimitBook:
    """The numbers of this service, read once: every injection asks for them several times."""
    return LimitBook.load(Path(__file__).with_name("data") / "limits.toml", confirmed)

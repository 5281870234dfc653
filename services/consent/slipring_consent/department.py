"""What the department has set: this service's settings, and its numbers as they stand today."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.service import Desk
from slipring.rules.limits import LimitBook, Limits

from slipring_consent.settings import ConsentSettings


def settings_of(desk: Desk) -> ConsentSettings:
    """The service's settings; a bare desk has the defaults."""
    return desk.settings if isinstance(desk.settings, ConsentSettings) else ConsentSettings()


def limits_of(desk: Desk) -> Limits:
    """The numbers of this service as they stand today in the department."""
    day = desk.now.astimezone(ZoneInfo(settings_of(desk).time_zone)).date()
    path = Path(__file__).with_name("data") / "limits.toml"
    return LimitBook.load(path, settings_of(desk).confirmed).on(day)

"""The numbers of this service that wait for a named person of the department."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import Stored
from slipring.rules.finding import Limit

from slipring_order.judging.rule_set import in_force
from slipring_order.settings import OrderSettings


def unconfirmed(now: datetime, approved: Sequence[Stored]) -> list[Limit]:
    """The limits that neither a setting confirms nor the department's own rule set says, then those of the scanners."""
    settings = OrderSettings.from_env()
    book, day = in_force(approved, settings.limits, now, settings.zone).book, now.astimezone(settings.zone).date()
    return [*book.unconfirmed(day), *settings.scanner_limits.unconfirmed(day)]

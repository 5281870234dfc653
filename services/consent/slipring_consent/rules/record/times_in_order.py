"""An injection ends after it began, and within the hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.record import RecordFacts

_AN_HOUR = timedelta(hours=1)


@rule("consent.times-in-order", clause="CL02-A011:4.13", weight="warn")
def times_are_in_order(facts: RecordFacts, limits: Limits, now: datetime) -> Hit | None:
    """An injection ends after it began, and within the hour."""
    if facts.started_at is None or facts.ended_at is None:
        return None
    at = "MedicationAdministration.effectivePeriod"
    if facts.ended_at < facts.started_at:
        return Hit("结束时间早于开始时间。", "It ends before it began.", at=at)
    if facts.ended_at - facts.started_at > _AN_HOUR:
        zh, en = "注射持续超过一小时，请核对时间。", "It took more than an hour; look at the times again."
        return Hit(zh, en, at=at)
    return None

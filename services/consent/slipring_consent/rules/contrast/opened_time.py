"""An opened pack is used within its time."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.limits import decimal


@rule("consent.opened-time", clause="CL02-A011:5.3.2.1", weight="stop")
def opened_pack_is_used_in_time(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """An opened pack is used within its time.

    A bulk pack has its own number; a pack of unknown size is taken for a small one.
    """
    if facts.opened_hours is None:
        return None
    bulk = facts.pack_ml is not None and facts.pack_ml >= decimal(limits.limit("contrast.bulk_pack_ml"))
    limit = limits.limit("contrast.bulk_opened_hours" if bulk else "contrast.opened_hours")
    if facts.opened_hours <= decimal(limit):
        return None
    said = shown(facts.opened_hours)
    return Hit(
        f"包装已开启 {said} 小时（限 {limit.value} 小时）。",
        f"The pack was opened {said} hours ago (at most {limit.value}).",
        at="MedicationAdministration.extension",
        inputs={"hours": said},
        limit=limit,
    )

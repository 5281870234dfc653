"""Somebody is named who observes the patient throughout."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.observer-named", clause="CL02-A011:5.4.4.1", weight="stop")
def an_observer_is_named(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """Somebody is named who observes the patient throughout."""
    if facts.observer:
        return None
    return Hit(
        "未指定全程观察人员。", "Nobody is named who observes the patient.", at="MedicationAdministration.performer"
    )

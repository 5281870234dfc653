"""Maintenance dialysis is known, and its schedule stays as it is."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.dialysis"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def dialysis_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Maintenance dialysis is known, and its schedule stays as it is."""
    return condition(
        facts.policy,
        RULE,
        facts.dialysis,
        zh="患者接受维持性透析。",
        en="The patient is on maintenance dialysis.",
        link="dialysis",
    )

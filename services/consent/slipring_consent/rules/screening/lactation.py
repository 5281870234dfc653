"""A breast-feeding mother is told what contrast means for her child."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.lactation"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def lactation_is_advised(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """A breast-feeding mother is told what contrast means for her child."""
    return condition(
        facts.policy,
        RULE,
        facts.lactation,
        zh="患者正在哺乳。",
        en="The patient is breast-feeding.",
        link="lactation",
    )

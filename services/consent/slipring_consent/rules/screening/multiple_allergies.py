"""Several severe allergies are known and weighed before contrast."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.multiple-allergies"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def allergies_are_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Several severe allergies are known and weighed before contrast."""
    return condition(
        facts.policy,
        RULE,
        facts.multiple_allergies,
        zh="患者有多种或严重过敏史。",
        en="The patient has several or severe allergies.",
        link="severe-allergies",
    )

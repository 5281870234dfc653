"""Drugs that harm the kidneys are known before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.nephrotoxic-drugs"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def nephrotoxic_drugs_are_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Drugs that harm the kidneys are known before contrast is given."""
    return condition(
        facts.policy,
        RULE,
        facts.nephrotoxic_drugs,
        zh="患者正在使用肾毒性药物。",
        en="The patient takes drugs that harm the kidneys.",
        link="nephrotoxic-drugs",
    )

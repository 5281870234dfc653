"""Acute kidney injury is weighed before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.acute-kidney-injury"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def kidneys_are_not_acutely_injured(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Acute kidney injury is weighed before contrast is given.

    An eGFR says nothing while creatinine still moves, so this stands beside any value.
    """
    return condition(
        facts.policy,
        RULE,
        facts.acute_kidney_injury,
        zh="患者有急性肾损伤。",
        en="The patient has acute kidney injury.",
        link="acute-kidney-injury",
    )

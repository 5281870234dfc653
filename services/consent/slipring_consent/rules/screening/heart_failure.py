"""Heart failure is weighed before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.heart-failure"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def heart_failure_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Heart failure is weighed before contrast is given."""
    return condition(
        facts.policy,
        RULE,
        facts.heart_failure,
        zh="患者有心力衰竭。",
        en="The patient has heart failure.",
        link="heart-failure",
    )

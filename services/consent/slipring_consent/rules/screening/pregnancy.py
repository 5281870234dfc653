"""In pregnancy contrast is given only if it is essential."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.pregnancy"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def pregnancy_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """In pregnancy contrast is given only if it is essential."""
    return condition(
        facts.policy, RULE, facts.pregnancy, zh="患者已妊娠。", en="The patient is pregnant.", link="pregnancy"
    )

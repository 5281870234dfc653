"""A beta-blocker is known, because it changes how a reaction is treated."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.beta-blocker"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def beta_blocker_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """A beta-blocker is known, because it changes how a reaction is treated."""
    return condition(
        facts.policy,
        RULE,
        facts.beta_blocker,
        zh="患者正在使用β受体阻滞剂。",
        en="The patient takes a beta-blocker.",
        link="beta-blocker",
    )

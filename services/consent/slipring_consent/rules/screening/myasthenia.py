"""Myasthenia gravis is weighed before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.myasthenia"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def myasthenia_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Myasthenia gravis is weighed before contrast is given."""
    return condition(
        facts.policy,
        RULE,
        facts.myasthenia,
        zh="患者有重症肌无力。",
        en="The patient has myasthenia gravis.",
        link="myasthenia",
    )

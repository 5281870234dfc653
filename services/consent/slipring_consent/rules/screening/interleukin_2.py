"""Interleukin-2 is known, because late skin reactions are likelier after it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.interleukin-2"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def interleukin_2_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Interleukin-2 is known, because late skin reactions are likelier after it."""
    return condition(
        facts.policy,
        RULE,
        facts.interleukin_2,
        zh="患者使用过白细胞介素-2。",
        en="The patient has had interleukin-2.",
        link="interleukin-2",
    )

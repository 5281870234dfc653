"""Contrast is not given in manifest overactive thyroid."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, condition

RULE = "consent.thyroid"
_LINK = "hyperthyroidism"


@rule(RULE, clause="CL02-A011:5.4.1", weight="stop")
def thyroid_is_not_overactive(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is not given in manifest overactive thyroid."""
    if facts.hyperthyroidism == "unknown":
        return asked(
            "甲状腺功能情况不明。",
            "Whether the thyroid is overactive is unknown.",
            link=_LINK,
            inputs={"hyperthyroidism": "unknown"},
        )
    return condition(
        facts.policy,
        RULE,
        facts.hyperthyroidism,
        zh="存在未控制的甲状腺功能亢进。",
        en="The thyroid is overactive and not controlled.",
        link=_LINK,
    )

"""Asthma is known before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, condition

RULE = "consent.asthma"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def asthma_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Asthma is known before contrast is given."""
    if facts.asthma == "unknown":
        zh, en = "是否有哮喘不明。", "Whether the patient has asthma is unknown."
        return asked(zh, en, link="asthma", inputs={"asthma": "unknown"})
    return condition(facts.policy, RULE, facts.asthma, zh="患者有哮喘。", en="The patient has asthma.", link="asthma")

"""Whoever may be pregnant is asked before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import said

RULE = "consent.pregnancy-asked"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def pregnancy_is_asked(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever may be pregnant is asked before contrast is given.

    Whose sex or age is not known is asked like a woman who may be; whose uterus was removed is not.
    """
    if facts.pregnancy != "unknown" or not _may_be_pregnant(facts):
        return None
    return said(
        facts.policy,
        RULE,
        "unknown",
        zh="是否妊娠不明。",
        en="Whether the patient is pregnant is unknown.",
        link="pregnancy",
        inputs={"pregnancy": "unknown", "sex": facts.sex, "age_years": facts.age_years},
    )


def _may_be_pregnant(facts: ScreeningFacts) -> bool:
    if facts.sex == "male" or facts.uterus_removed:
        return False
    entry, age = facts.policy.entry(RULE), facts.age_years
    return age is None or int(entry.get("asked_from_years", 0)) <= age <= int(entry.get("asked_to_years", 150))

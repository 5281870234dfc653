"""Contrast does not come shortly before radio-iodine treatment or a thyroid scintigraphy."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import condition

RULE = "consent.radioiodine"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def radioiodine_is_not_ahead(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast does not come shortly before radio-iodine treatment or a thyroid scintigraphy.

    Its iodine keeps the thyroid from taking up the tracer for weeks.
    """
    return condition(
        facts.policy,
        RULE,
        facts.radioiodine_planned,
        zh="患者近期将行放射性碘治疗或甲状腺核素显像。",
        en="Radio-iodine treatment or a thyroid scintigraphy is planned.",
        link="radioiodine",
    )

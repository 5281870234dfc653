"""Contrast is explained by a physician or a nurse."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.informer", clause="CL02-A011:5.4.1", weight="stop")
def informer_may_explain(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is explained by a physician or a nurse."""
    if not facts.informer_en:
        return None
    return Hit(
        f"告知人不具备资格：{facts.informer_zh}",
        f"Who explained may not: {facts.informer_en}",
        at="Consent.verification",
        weight=facts.lighter_on_paper,
    )

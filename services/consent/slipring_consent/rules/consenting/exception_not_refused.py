"""An emergency does not undo a refusal of this examination."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.exception_facts import ExceptionFacts


@rule("consent.exception-refused", clause="CL02-A011:5.4.1", weight="stop")
def a_refusal_is_not_passed(facts: ExceptionFacts, limits: Limits, now: datetime) -> Hit | None:
    """An emergency does not undo a refusal of this examination."""
    if not facts.refused:
        return None
    return Hit(
        "患者或其代理人已拒绝本次使用对比剂，紧急例外不能代替。",
        "Contrast was refused for this examination; an exception does not take its place.",
        at="Consent.provision",
    )

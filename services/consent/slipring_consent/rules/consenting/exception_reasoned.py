"""Why nobody could consent is a coded reason."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.exception_facts import ExceptionFacts, part_of_exception


@rule("consent.exception-reason", clause="CL02-A011:5.4.1", weight="stop")
def the_exception_has_a_reason(facts: ExceptionFacts, limits: Limits, now: datetime) -> Hit | None:
    """Why nobody could consent is a coded reason."""
    if facts.reason:
        return None
    return Hit("紧急例外须有编码的理由。", "The exception has a coded reason.", at=part_of_exception("reason"))

"""Who tried to reach whom, when, and with what outcome is on record, unless nobody is known to try."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.exception_facts import ExceptionFacts, part_of_exception

# Reasons that say there is nobody to try.
_NOBODY = frozenset({"unidentified", "no-relative-known"})


@rule("consent.exception-attempts", clause="CL02-A011:5.4.1", weight="stop")
def somebody_was_tried(facts: ExceptionFacts, limits: Limits, now: datetime) -> Hit | None:
    """Who tried to reach whom, when, and with what outcome is on record, unless nobody is known to try."""
    if facts.reason in _NOBODY and not facts.attempts:
        return None
    complete = [one for one in facts.attempts if one.by and one.whom and one.outcome and one.at_known]
    if complete and len(complete) == len(facts.attempts):
        return None
    return Hit(
        "须记录何人、何时、联系何人及结果。",
        "It says who tried to reach whom, when, and with what outcome.",
        at=part_of_exception("attempt"),
        inputs={"attempts": len(facts.attempts)},
    )

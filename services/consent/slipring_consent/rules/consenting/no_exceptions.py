"""A consent says yes or no, and takes nothing out of its yes."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.no-exceptions", clause="CL02-A011:5.4.1", weight="stop")
def takes_nothing_out(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """A consent says yes or no, and takes nothing out of its yes.

    A denial inside what is permitted (`provision.provision`) may be of the agent, the exam or a person; the gate can read none of it.
    """
    if not facts.excepted:
        return None
    return Hit(
        "知情同意不得在同意之内另附拒绝项；请明确同意或拒绝。",
        "A consent denies nothing inside what it permits: it says yes or no.",
        at="Consent.provision.provision",
    )

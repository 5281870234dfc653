"""An active consent says how long it is valid, and the period runs forwards."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.validity", clause="CL02-A011:5.4.1", weight="stop")
def states_its_validity(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """An active consent says how long it is valid, and the period runs forwards."""
    if facts.ends_at is None:
        return Hit("知情同意须注明有效期。", "The consent states how long it is valid.", at="Consent.provision.period")
    if facts.starts_at is not None and facts.ends_at < facts.starts_at:
        return Hit("有效期结束早于开始。", "The period ends before it starts.", at="Consent.provision.period.end")
    return None

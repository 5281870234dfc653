"""A consent covers one examination, not the next one too."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.one-exam", clause="CL02-A011:5.4.1", weight="stop")
def covers_one_exam(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """A consent covers one examination, not the next one too."""
    if facts.exams <= 1:
        return None
    return Hit(
        "一份知情同意只针对一次检查；每次检查须分别签署。",
        "One consent is for one examination; each examination has its own.",
        at="Consent.provision.data",
        inputs={"exams": facts.exams},
    )

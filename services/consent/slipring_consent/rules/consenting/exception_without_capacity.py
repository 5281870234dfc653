"""The exception is for who cannot decide: it is stated."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.exception_facts import ExceptionFacts
from slipring_consent.consenting.facts import CAPACITY


@rule("consent.exception-capacity", clause="CL02-A011:5.4.1", weight="stop")
def the_patient_cannot_decide(facts: ExceptionFacts, limits: Limits, now: datetime) -> Hit | None:
    """The exception is for who cannot decide: it is stated."""
    if facts.capacity in ("none", "limited"):
        return None
    return Hit(
        "仅在患者无法作出决定时适用紧急例外，须注明其行为能力。",
        "The exception is for a patient who cannot decide: his capacity is stated.",
        at=f"Consent.extension.where(url='{CAPACITY}')",
        inputs={"capacity": facts.capacity},
    )

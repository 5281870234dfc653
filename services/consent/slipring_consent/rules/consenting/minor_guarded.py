"""A minor's own signature alone is no consent: a guardian signs."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.minor-guardian", clause="CL02-A011:5.4.1", weight="stop")
def a_minor_is_represented(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """A minor's own signature alone is no consent: a guardian signs.

    From sixteen on, who lives on the own labour counts as of age (Civil Code art. 18). Where no whole date of birth is
    known nothing is assumed: whoever explained states the capacity.
    """
    if facts.signer != "patient":
        return None
    if not facts.age_known:
        if facts.capacity:
            return None
        return Hit(
            "患者出生日期缺失或不完整：请注明其民事行为能力，或由监护人签署。",
            "The patient's date of birth is missing or incomplete: state the capacity, or let a guardian sign.",
            at="Consent.performer",
            weight=Weight.ASK,
        )
    needed = limits.limit("consent.own_labour_age" if facts.capacity == "own-labour" else "consent.adult_age")
    if facts.age_years >= needed.value:
        return None
    return Hit(
        f"患者未满 {needed.value} 周岁，须由监护人签署；本人意愿可一并记录。",
        f"The patient is under {needed.value}: a guardian signs; the patient's own assent may be recorded beside it.",
        at="Consent.performer",
        inputs={"age_years": facts.age_years, "capacity": facts.capacity},
        limit=needed,
    )

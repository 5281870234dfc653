"""A relative signs for an adult for a reason that is stated: incapacity, or the patient's own authority."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.representation", clause="CL02-A011:5.4.1", weight="stop")
def representation_has_its_reason(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """A relative signs for an adult for a reason that is stated: incapacity, or the patient's own authority."""
    if facts.signer != "relative":
        return None
    adult = facts.age_known and facts.age_years >= limits.limit("consent.adult_age").value
    if facts.representation == "minor" and adult:
        return Hit(
            "患者已成年，不能以未成年为由代签。",
            "The patient is of age: nobody signs for him as for a minor.",
            at="Consent.extension",
            inputs={"age_years": facts.age_years},
        )
    if facts.representation or (facts.age_known and not adult):
        return None
    return Hit(
        "近亲属代签须注明理由（未成年、无行为能力或患者书面授权）。",
        "A relative signs for a reason that is stated: minor, incapacity, or the patient's written authority.",
        at="Consent.extension",
        weight=facts.lighter_on_paper,
    )

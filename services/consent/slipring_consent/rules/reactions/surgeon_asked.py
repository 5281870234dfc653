"""The symptoms of an extravasation, not only its volume, call a surgeon."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.extravasation-surgeon", clause="CL02-A011:5.4.4.1", weight="warn")
def a_surgeon_sees_a_limb_at_risk(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """An extravasation that grows, blisters, or takes feeling or blood flow is shown to a surgeon.

    By symptoms and not by volume alone: a small one in a tight compartment does more harm than a large one under loose skin.
    """
    limit = limits.limit("extravasation.consult")
    calling = [one for one in facts.symptoms if one in limit.value]
    if not calling:
        return None
    return Hit(
        "外渗出现需外科会诊的症状（进行性肿痛、毛细血管充盈减慢、感觉异常或水疱）。",
        "The extravasation shows symptoms that ask for a surgeon (progressive swelling or pain, capillary refill, sensation, blisters).",
        at="AdverseEvent.extension('https://slipring.example/fhir/StructureDefinition/extravasation')",
        inputs={"symptoms": calling},
        limit=limit,
    )

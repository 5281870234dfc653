"""The agent that is given is the one that was asked for and consented to."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-agent", clause="CL02-A011:5.3.2.5", weight="ask")
def agent_is_the_planned_one(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The agent that is given is the one that was asked for and consented to.

    Screening judged that agent: with another one an earlier reaction weighs otherwise.
    """
    at = "MedicationAdministration.medication"
    inputs = {"agent": facts.agent, "planned": list(facts.planned)}
    if not facts.agent:
        zh, en = "无法识别所用对比剂的品种。", "The agent is none that is known here."
        return Hit(zh, en, at=at, inputs=inputs)
    if facts.planned and facts.agent not in facts.planned:
        planned = ", ".join(facts.planned)
        zh = f"所用对比剂（{facts.agent_zh}）与申请或同意的（{planned}）不同。"
        en = f"The agent ({facts.agent_en}) is another one than was asked for or consented to ({planned})."
        return Hit(zh, en, at=at, inputs=inputs)
    return None

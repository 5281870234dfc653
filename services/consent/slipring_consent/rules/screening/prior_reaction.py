"""An earlier reaction to contrast is known, and a severe one forbids the same agent."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, said

RULE = "consent.prior-reaction"
_LINK = "prior-reaction"
_GRADES = {"mild": "轻度", "moderate": "中度", "severe": "重度"}
_AGENTS = {
    "same": ("拟用的正是当时的对比剂。", "The same agent is planned."),
    "other": ("拟用另一种对比剂。", "Another agent is planned."),
    "unknown": ("当时或本次所用对比剂未注明。", "Which agent it was, or which is planned, is not stated."),
}


@rule(RULE, clause="CL02-A011:5.4.1", weight="stop")
def prior_reaction_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """An earlier reaction to contrast is known, and a severe one forbids the same agent.

    Unknown is not "none": a physician decides. An agent that is not stated counts as the same.
    """
    grade, agent = facts.prior_reaction, _agent(facts)
    inputs = {"prior_reaction": grade, "kind": facts.prior_reaction_kind, "agent": agent}
    if grade == "none":
        return None
    if grade == "unknown":
        return asked(
            "既往对比剂反应情况不明。",
            "Whether there was an earlier reaction to contrast is unknown.",
            link=_LINK,
            inputs=inputs,
        )
    zh, en = _AGENTS[agent]
    return said(
        facts.policy,
        RULE,
        _case(facts, agent),
        zh=f"既往有{_GRADES[grade]}对比剂不良反应。{zh}",
        en=f"There was an earlier {grade} reaction to contrast. {en}",
        link=_LINK,
        inputs=inputs,
    )


def _case(facts: ScreeningFacts, agent: str) -> str:
    if facts.prior_reaction == "severe":
        return "severe_other_agent" if agent == "other" else "severe"
    return "physiologic" if facts.prior_reaction_kind == "physiologic" else facts.prior_reaction


def _agent(facts: ScreeningFacts) -> str:
    """Whether the agent that is planned is the one of the reaction: same, other, or unknown."""
    if not facts.planned_agent or not facts.reaction_agents:
        return "unknown"
    return "same" if facts.planned_agent in facts.reaction_agents else "other"

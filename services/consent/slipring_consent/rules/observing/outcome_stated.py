"""An early end of an observation says what it needs: a coded reason, a physician, or who receives the patient."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts

_OUTCOME = "Task.output.where(type.coding.code='observation-outcome')"


@rule("consent.observation-outcome", clause="CL02-A011:5.4.4.1", weight="stop")
def the_outcome_says_what_it_needs(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """An early end of an observation says what it needs: a coded reason, a physician, or who receives the patient."""
    if not facts.outcome_known:
        return Hit("未知的留观结局。", "This is no known way for an observation to end.", at=_OUTCOME)
    if facts.needs == "reason" and not facts.reason_coded:
        zh, en = "患者提前离开须注明编码的原因。", "Leaving against advice has a coded reason."
        return Hit(zh, en, at="Task.statusReason")
    if facts.needs == "physician" and not facts.physician:
        return Hit("提前解除须由医师决定。", "An earlier release is a physician's decision.", at="Task.owner")
    if facts.needs == "receiver" and not facts.receiver:
        zh, en = "移交须注明接收者。", "A hand-over names who receives the patient."
        return Hit(zh, en, at="Task.output.where(type.coding.code='receiver')")
    return None

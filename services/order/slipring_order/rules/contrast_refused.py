"""Whoever refuses contrast gets none: the exam is done plain, or not at all."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.contrast-refused", clause="CL02-A011:5.3.2.5", weight="stop")
def a_refusal_of_contrast_is_answered(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """A contrast exam whose consent was refused or withdrawn starts only after a radiologist made it a plain one."""
    if start.contrast != "refused" or "plain-instead" in start.confirmed:
        return None
    return Hit(
        "患者拒绝或撤回对比剂同意：须由放射科医师改为平扫或取消。",
        "Consent to contrast was refused or withdrawn: a radiologist makes the exam plain, or it is cancelled.",
        at="Task.extension",
        inputs={"contrast": start.contrast},
        weight=Weight.ASK if start.stat else None,
    )

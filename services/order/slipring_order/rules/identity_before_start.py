"""Nobody is scanned before two identifiers of different kinds have said who he is."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.identity-before-start", clause="CL02-A011:5.5.1.1", weight="stop")
def identity_is_checked_before_the_start(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """The patient's identity is confirmed and on record before the scan starts; in an emergency it is asked later."""
    if "identity-confirmed" in start.confirmed:
        return None
    return Hit(
        "开始检查前未记录身份核对。",
        "The patient's identity was not checked before the start.",
        at="Task.input",
        inputs={"confirmed": sorted(start.confirmed)},
        weight=Weight.ASK if start.stat else None,
    )

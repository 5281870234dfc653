"""Between request and scan lie days: the question is put once more at the door."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.pregnancy-asked-again", clause="MOH46:26(3)", weight="warn")
def pregnancy_is_asked_again_before_the_start(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever was asked about pregnancy for the request is asked again before the scan."""
    if not start.pregnancy_concerns or "pregnancy-asked" in start.confirmed:
        return None
    return Hit(
        "开始检查前未再次询问妊娠情况。",
        "Pregnancy was not asked about again before the start.",
        at="Task.input",
        weight=Weight.INFO if start.stat else None,
    )

"""No scan starts on a scanner that is not fit."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.scanner-fit", clause="CL02-A011:5.6.2.3", weight="stop")
def the_scanner_is_fit(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """A scan starts only on a scanner in service, tested in time and within its limits; in an emergency a person decides."""
    if not start.unfit:
        return None
    return Hit(
        f"所约 CT 不可用：{''.join(zh for zh, _ in start.unfit)}",
        f"The scanner is not fit: {' '.join(en for _, en in start.unfit)}",
        at="Task.restriction",
        inputs={"scanner": start.scanner},
        weight=Weight.ASK if start.stat else None,
    )

"""A scanner that is out of service scans nobody."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.scanner_facts import ServiceFacts


@rule("order.scanner-in-service", clause="CL02-A011:5.3.1.4", weight="stop")
def the_scanner_is_in_service(scanner: ServiceFacts, limits: Limits, now: datetime) -> Hit | None:
    """A scanner that was taken out of service gets no work until it is put back."""
    if not scanner.out_of_service:
        return None
    return Hit("该 CT 已停用。", "The scanner is out of service.", at="Device.status")

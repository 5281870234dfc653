"""A scanner without any test on record is asked about."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.scanner_facts import ServiceFacts


@rule("order.scanner-tested", clause="CL02-A011:5.3.1.4", weight="warn")
def something_was_measured_on_the_scanner(scanner: ServiceFacts, limits: Limits, now: datetime) -> Hit | None:
    """A scanner has test results on record; from the first one on, what is due counts."""
    if scanner.tested:
        return None
    return Hit("该 CT 没有任何检测记录。", "No test of this scanner is on record.", at="Device")

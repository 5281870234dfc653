"""A scanner that is out of limits scans nobody until it passes again."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.testing import ScannerTest


@rule("order.scanner-within-limits", clause="CL02-A011:5.6.2.3", weight="stop")
def the_last_result_is_within_limits(test: ScannerTest, limits: Limits, now: datetime) -> Hit | None:
    """The newest result of every test is within its limit; the limit applied stays with the finding."""
    if test.passes is not False or test.last is None:
        return None
    return Hit(
        f"{test.zh}超出限值。",
        f"Out of limits: {test.en}.",
        at="Observation.valueQuantity",
        inputs={
            "test": test.test,
            "value": str(test.last.value),
            "baseline": str(test.baseline),
            "kind": test.last.kind,
            "observation": test.last.reference,
        },
        # Whoever tested may have said so himself; then no limit of ours decides.
        limit=None if test.last.abnormal else test.limit,
    )

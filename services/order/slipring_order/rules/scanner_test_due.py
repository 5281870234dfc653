"""A test that is overdue takes the scanner off the worklist."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.testing import ScannerTest


@rule("order.scanner-test-due", clause="CL02-A011:5.6.2.3", weight="stop")
def no_test_is_overdue(test: ScannerTest, limits: Limits, now: datetime) -> Hit | None:
    """Every test is repeated within its interval, counted in calendar months from the last time it was passed."""
    if test.due_on is None or test.today <= test.due_on:
        return None
    return Hit(
        f"{test.zh}检测已逾期（应于 {test.due_on} 前完成）。",
        f"Overdue since {test.due_on}: {test.en}.",
        at="Device",
        inputs={"test": test.test, "due": str(test.due_on), "passed": str(test.last_pass_at)},
        limit=test.interval,
    )

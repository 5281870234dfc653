"""A scanner's constancy as the due list shows it: by the very results that decide whether it may scan (5.6.2.3); pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from slipring_order.department.due import Record
from slipring_order.rooms.testing import ScannerTest

CONSTANCY = "constancy-test"


def constancy(scanner: str, tests: Sequence[ScannerTest], zone: tzinfo) -> Record | None:
    """How a scanner stands in all its tests: failed by one that fails, else due when the first of them is.

    None when nothing was measured on it: then only what was recorded of it in other ways can tell.
    """
    measured = [test for test in tests if test.last is not None]
    if not measured:
        return None
    failed = [test for test in measured if test.passes is False]
    counted = failed or measured
    newest = max((test.last for test in counted if test.last), key=lambda one: (one.at, one.reference))
    due = min((test.due_on for test in tests if test.due_on), default=None)
    return Record(scanner, CONSTANCY, newest.at.astimezone(zone).date(), due, not failed, newest.reference)

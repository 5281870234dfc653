"""Which eGFR counts: the newest that is in date, and of two at one moment the lower."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from slipring_consent.screening.facts import _newest_egfr

from tests.support.contrast import an_egfr
from tests.support.desk import A_NOON

VALID = timedelta(days=90)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([(90, 3), (28, 3)], "28"),
        ([(28, 3), (90, 3)], "28"),
        ([(28, 9), (90, 3)], "90"),
        ([(28, 100)], None),
        ([], None),
    ],
)
def test_the_newest_counts_and_of_two_at_one_moment_the_lower(
    held: list[tuple[int, int]], expected: str | None
) -> None:
    found = _newest_egfr([an_egfr(value, days) for value, days in held], A_NOON, VALID, "Asia/Shanghai")
    assert found == (None if expected is None else Decimal(expected))

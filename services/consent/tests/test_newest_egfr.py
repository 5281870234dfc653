"""Which eGFR counts: the newest that is in date, and of two at one moment the lower."""

from __future__ import annotations

from decimal import Decimal

import pytest
from slipring_consent.screening.known import screening_in

from tests.support.contrast import a_department, an_egfr


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
    bundle = {"resourceType": "Bundle", "entry": [{"resource": an_egfr(value, days)} for value, days in held]}
    found = screening_in(bundle, None, a_department()).egfr_ml_min
    assert found == (None if expected is None else Decimal(expected))

"""What two services know of an exam agrees."""

from __future__ import annotations

from slipring_consent.contrast.agents import is_contrast_exam
from slipring_order.catalogue import own_codes


def test_consent_asks_for_exactly_the_exams_that_the_catalogue_does_with_contrast() -> None:
    for exam in own_codes().values():
        if exam.loinc:
            assert is_contrast_exam([("http://loinc.org", exam.loinc)]) is exam.contrast, exam.code

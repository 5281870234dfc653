"""Whether an exam is one with contrast: by codes, by words, or by what order says of it."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_consent.contrast.exam import CONTRAST_CONDITION, contrast_asked, needs_contrast

from tests.support.contrast import EXAM, a_department, a_request

PLAIN = {"code": {"coding": [{"system": "http://loinc.org", "code": "24627-2"}]}}
LOCAL = {"code": {"coding": [{"system": "urn:his:exams", "code": "CT77"}]}}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("detail", "asked"),
    [
        ({"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}, True),
        ({"coding": [{"system": "urn:oid:2.16.840.1.113883.6.73", "code": "v08ab02"}]}, True),
        ({"text": "碘海醇 350，60 ml"}, True),
        ({"coding": [{"system": "urn:his", "code": "C1", "display": "增强扫描"}]}, True),
        ({"text": "with and without contrast"}, True),
        ({"text": "不用对比剂"}, False),
        ({"text": "低剂量"}, False),
        ({"coding": [{"system": "urn:his", "code": "V08AB02"}]}, False),
    ],
)
def test_a_detail_asks_for_contrast_by_an_agent_or_in_words(detail: dict[str, Any], asked: bool) -> None:
    assert needs_contrast(a_request(**PLAIN, orderDetail=[detail])) is asked


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("open", True),
        ("cleared", True),
        ("emergency-exception", True),
        ("expired", True),
        ("not-needed", False),
        ("", False),
    ],
)
async def test_what_order_shows_on_the_exam_decides_about_a_local_code(condition: str, asked: bool) -> None:
    desk, request = a_department(), a_request(**LOCAL)
    shown = [{"url": CONTRAST_CONDITION, "valueCode": condition}] if condition else []
    desk.hold(an_exam_task(shown), source="order")
    assert await contrast_asked(EXAM, request, desk) is asked


def an_exam_task(extension: list[Resource]) -> Resource:
    code = {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/task-code", "code": "exam"}]}
    task = {"resourceType": "Task", "id": "o-task", "status": "ready", "intent": "order"}
    return task | {"code": code, "focus": {"reference": EXAM}, "extension": extension}

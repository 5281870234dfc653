"""Contrast in the details of an order: what plans it, and what says that none is used or borne."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_order.gathering.request import contrast_planned

ATC, SNOMED = "http://www.whocc.no/atc", "http://snomed.info/sct"


def planned(*details: Any) -> bool | None:
    return contrast_planned({"resourceType": "ServiceRequest", "orderDetail": list(details)}, None)


@pytest.mark.parametrize(
    "words",
    [
        "无需增强", "不需增强", "不做增强", "未增强", "不需要对比剂", "不使用对比剂", "不打造影剂", "无造影剂", "禁用对比剂",
        "对比剂过敏", "碘过敏史", "无碘过敏史", "碘海醇过敏", "含碘对比剂过敏", "平扫,不予增强", "不宜使用碘对比剂", "增强：否",
        "对比剂：无", "造影剂 禁忌", "碘131治疗后", "不注射对比剂", "不能耐受对比剂", "拒绝增强",
        "without iv contrast", "no iv contrast", "No IV Contrast", "w/o contrast", "WO contrast", "contrast not needed",
        "contrast is not required", "no need for contrast", "no contrast enhancement", "contrast: none", "contrast allergy",
        "allergic to iodinated contrast", "non-contrast", "noncontrast", "unenhanced", "non-enhanced", "不用对比剂",
    ],
)  # fmt: skip
def test_what_says_that_no_contrast_is_used_plans_none(words: str) -> None:
    assert planned({"text": words}) is None
    assert planned({"coding": [{"system": "urn:his", "code": "7", "display": words}]}) is None


@pytest.mark.parametrize(
    "words",
    [
        "平扫+增强", "平扫＋增强", "增强", "增强扫描", "碘海醇 80 ml", "非离子型对比剂 80 ml", "禁食后增强", "禁食4小时，增强",
        "无碘过敏史，增强扫描", "无对比剂过敏史，碘克沙醇 100 ml", "平扫不清楚时增强", "未禁水，对比剂 60 ml", "不做平扫，只做增强",
        "with iv contrast", "without and with contrast", "with and without contrast", "with or without contrast",
        "no oral contrast, iv contrast 80 ml", "no allergy, contrast 80 ml", "iohexol 350", "contrast-enhanced",
    ],
)  # fmt: skip
def test_contrast_stays_contrast_whatever_else_is_denied_beside_it(words: str) -> None:
    assert planned({"text": words}) is True


@pytest.mark.parametrize(
    ("coding", "is_agent"),
    [
        ({"system": ATC, "code": "V08AB02"}, True),
        ({"system": ATC, "code": "v08ab09"}, True),
        ({"system": SNOMED, "code": "109218004"}, True),
        ({"system": "urn:his", "code": "C350", "display": "碘帕醇"}, True),
        ({"system": ATC, "code": "N05CD08", "display": "midazolam"}, None),
        ({"system": "urn:his", "code": "LD", "display": "低剂量"}, None),
        ({"system": SNOMED, "code": "399331006"}, None),
        ({"system": "urn:his", "code": "V08AB02"}, None),
    ],
)
def test_a_coded_detail_is_an_agent_by_its_code_or_its_name(coding: Any, is_agent: bool | None) -> None:
    assert planned({"coding": [coding]}) is is_agent


def test_one_detail_that_names_an_agent_is_enough() -> None:
    assert planned({"text": "低剂量"}, {"text": "碘海醇"}) is True
    assert planned() is None

"""Regions that requests and descriptions name in words: all of them, and none that a word only resembles."""

from __future__ import annotations

import pytest
from slipring_order.images.words import regions_in

TRUNK = {"chest", "abdomen", "pelvis"}
RUN_OFF = {"abdomen", "pelvis", "leg"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("words", "regions"),
    [
        ("心脏+全主动脉CTA", TRUNK),
        ("主动脉全程+头部CTA", TRUNK | {"head"}),
        ("CTA whole aorta", TRUNK),
        ("双下肢动脉CTA", RUN_OFF),
        ("下肢血管CTA", RUN_OFF),
        ("CTA lower extremity", RUN_OFF),
        ("CT angiogram aorta with runoff", RUN_OFF),
        ("双下肢CT平扫", {"leg"}),
        ("CT lower extremity", {"leg"}),
        ("腹主动脉CTA", {"abdomen"}),
    ],
)
def test_every_region_that_an_angiography_crosses_is_named(words: str, regions: set[str]) -> None:
    assert regions_in([words]) == regions


@pytest.mark.parametrize(
    ("words", "regions"),
    [
        ("中耳胆脂瘤", {"head"}),
        ("颅底胆脂瘤", {"head"}),
        ("眼附件", {"head"}),
        ("腰椎及附件", {"lumbar-spine"}),
        ("CT left femoral head", {"hip"}),
        ("CT femoral heads", {"hip"}),
        ("humeral head", {"arm"}),
        ("head of the right femur", set()),
        ("head of pancreas", {"abdomen"}),
        ("CT head and femoral head", {"head", "hip"}),
        ("CT head", {"head"}),
        ("胆囊", {"abdomen"}),
        ("胆管", {"abdomen"}),
        ("胆道", {"abdomen"}),
        ("肝胆", {"abdomen"}),
        ("子宫附件", {"pelvis"}),
        ("双附件", {"pelvis"}),
        ("附件区", {"pelvis"}),
    ],
)
def test_a_word_that_only_resembles_a_region_names_none(words: str, regions: set[str]) -> None:
    assert regions_in([words]) == regions

"""The median dose of each group of exams as indicators of the shape that the other files write out. Pure.

A level judges the median of a group and no patient, and no group that is too small (ICRP 135, 2.3).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

BANDS = ("adult", "child")


def population_of(group: str, quantity: str) -> str:
    """The population whose members are the exams of a group with a value of a quantity; its indicator has the same name.

    >>> population_of("head", "ctdivol")
    'dose-head-ctdivol'
    """
    return f"dose-{group}-{quantity}"


def dose_populations() -> Mapping[str, Mapping[str, Any]]:
    """As in `populations.toml`."""
    return {
        key: {
            "zh": f"{group['zh']}检查的 {quantity['name']}",
            "en": f"{quantity['name']} of examinations: {group['en']}",
            "scopes": ["scanner"],
            "unit": quantity["unit"],
            "marks": list(BANDS),
        }
        for key, group, quantity, _ in _each()
    }


def dose_indicators() -> Mapping[str, Mapping[str, Any]]:
    """As in the files of indicators."""
    said = _read()
    shared = {name: said[name] for name in ("version", "from", "least", "source", "confidence")}
    found = {}
    for key, group, quantity, level in _each():
        name = quantity["name"]
        version = shared | {
            "population": key,
            "denominator": [BANDS[0]],
            "scoring": "continuous",
            "unit": quantity["unit"],
            "counts": {"zh": f"{name} 值（{quantity['unit']}）", "en": f"{name} in {quantity['unit']}"},
            "over": quantity["over"],
            "target": {"value": level, "at": "most", "source": said["source"], "confidence": said["confidence"]},
        }
        found[key] = {
            "zh": f"{group['zh']}剂量中位数（{name}，成人）",
            "en": f"Median dose: {group['en']} ({name}, adults)",
            "better": "neither",
            "versions": [version],
            **{member: said[member] for member in ("clause", "service", "period")},
        }
    return found


def _each() -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any], float]]:
    for group, words in _read()["groups"].items():
        for quantity, told in _read()["quantities"].items():
            yield population_of(group, quantity), words, told, words[quantity]


@cache
def _read() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("dose_levels.toml").read_text(encoding="utf-8"))

"""Which body systems of Annex B an exam shows (`data/body_systems.toml`). Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_report.checks.exam import part_of

BODY_SYSTEM = f"{CANONICAL}/CodeSystem/body-system"
UNKNOWN = "unknown"


def systems_of(exam: Resource) -> tuple[str, ...]:
    """The systems that a request or report is about; empty where its codes and words do not tell.

    >>> systems_of({"code": {"coding": [{"code": "24725-4"}]}}), systems_of({"code": {"text": "全腹部CT"}}), systems_of({})
    (('B1',), ('B4', 'B5'), ())
    """
    codes = {str(coding.get("code", "")) for coding in exam.get("code", {}).get("coding", [])}
    for row in _file()["exams"]:
        if codes & {*row["loinc"], *row["codes"]}:
            return tuple(row["systems"])
    return tuple(_file()["parts"].get(part_of(exam), ()))


def names() -> Mapping[str, Mapping[str, str]]:
    """Every system with its names, `zh` and `en`."""
    return dict(_file()["names"])


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "body_systems.toml").read_text("utf-8"))

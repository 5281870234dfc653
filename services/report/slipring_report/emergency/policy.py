"""When the second read is due, and the grades of its discrepancies (`data/emergency.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.terminology.own import own_system


def due_within() -> timedelta:
    """From the release to the second read."""
    return timedelta(hours=_file()["second-read"]["due_hours"])


def grades() -> Mapping[str, Mapping[str, Any]]:
    """By code: names, and what follows."""
    return dict(_file()["grade"])


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "emergency.toml").read_text("utf-8"))


GRADES = own_system("discrepancy-grade", "Grade of a discrepancy", "差异分级", grades())

"""Diagnostic reference levels as dated data: which level an exam of a patient is compared with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

_LEVELS = Path(__file__).parents[1] / "data" / "reference_levels.toml"
Percentiles = tuple[Decimal | None, Decimal | None, Decimal | None]  # 25, 50, 75 %
_UNKNOWN: Percentiles = (None, None, None)


@dataclass(frozen=True, slots=True)
class Level:
    """The level for one kind of exam and one band of patients."""

    key: str
    band: str  # adult, or years (`5-10 a`), or kilograms (`15-30 kg`)
    ctdivol_mgy: Percentiles
    dlp_mgy_cm: Percentiles
    phantom_cm: int | None  # None: the source does not say, so the phantom is not compared
    chosen: Limit  # which set is in force, and whether a named person has confirmed it

    def of(self, quantity: str) -> Percentiles:
        """The percentiles of `ctdivol` or `dlp`."""
        return self.ctdivol_mgy if quantity == "ctdivol" else self.dlp_mgy_cm


def level_for(key: str, age_years: int | None, weight_kg: Decimal | None, limits: Limits) -> Level | None:
    """The level in force for an exam; None when nothing fits or what would be needed is not known."""
    if not key or age_years is None:
        return None
    adult = age_years >= limits.limit("dose.adult-from").value
    chosen = limits.limit("dose.levels-adult" if adult else "dose.levels-child")
    found = _sets().get(chosen.value)
    row = found["rows"].get(key) if found else None
    if found is None or row is None or bool(found["adult"]) != adult:
        return None
    if adult:
        return Level(key, "adult", _three(row["ctdivol"]), _three(row["dlp"]), row.get("phantom_cm"), chosen)
    unit, measured = ("kg", weight_kg) if found["by"] == "weight" else ("a", Decimal(age_years))
    for position, (start, end) in enumerate(found["bands"]):
        if measured is not None and start <= measured < end:
            ctdivol, dlp = (_top(row.get(name), position) for name in ("ctdivol_75", "dlp_75"))
            return Level(key, f"{start}-{end} {unit}", ctdivol, dlp, row.get("phantom_cm"), chosen)
    return None


def title_of(set_id: str) -> tuple[str, str]:
    """The name of a set in Chinese and English."""
    title = _sets()[set_id]["title"]
    return str(title["zh"]), str(title["en"])


def _three(written: list[Any]) -> Percentiles:
    low, middle, high = (_number(each) for each in written)
    return low, middle, high


def _top(written: list[Any] | None, position: int) -> Percentiles:
    return (None, None, _number(written[position])) if written else _UNKNOWN


def _number(written: Any) -> Decimal | None:
    return Decimal(str(written)) if str(written) else None


@cache
def _sets() -> Mapping[str, Mapping[str, Any]]:
    with _LEVELS.open("rb") as file:
        return {one["id"]: one for one in tomllib.load(file)["set"]}

"""Effective dose from DLP by published conversion factors: an estimate for a reference patient, never one for a person."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any

_FACTORS = Path(__file__).parents[1] / "data" / "dose_factors.toml"
_STEP_MSV = Decimal("0.01")
_NEITHER_BODY_NOR_HEAD = ("arm", "leg")


@dataclass(frozen=True, slots=True)
class Part:
    """A scanned part: where, how much, and measured for which phantom."""

    regions: frozenset[str]
    dlp_mgy_cm: Decimal
    phantom_cm: int | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate in mSv, or why none is made; always with its caveats."""

    msv: Decimal | None
    factors: tuple[Decimal, ...]  # mSv/(mGy.cm), each once
    source: str
    confidence: str
    zh: str
    en: str


def estimated(parts: Sequence[Part], age_years: int | None, on: date) -> Estimate:
    """E = sum of k * DLP over the scanned parts (AAPM report 96); not computed where no factor fits.

    A child's factors assume the 16 cm phantom: a body dose that the scanner gives for the 32 cm phantom is not
    multiplied. Between two ages of the table the lower one counts. Rounded to 0.01 mSv.
    """
    table = _in_force(on)
    if not parts:
        return _none(table, "没有剂量长度积", "there is no dose-length product")
    if age_years is None:
        return _none(table, "患者年龄不详", "the patient's age is not known")
    total, used = Decimal(0), []
    for part in parts:
        region = factor_region(part.regions)
        if not region:
            return _none(table, "没有适用于该部位的换算系数", "no conversion factor fits the scanned region")
        entry = table["region"][region]
        factor, child = _factor(entry, age_years, table)
        if child and part.phantom_cm not in (None, table["child_phantom_cm"]):
            return _none(table, "儿童剂量按 32 cm 模体给出", "the child's dose is given for the 32 cm phantom")
        total += factor * part.dlp_mgy_cm
        used.append(factor)
    msv = total.quantize(_STEP_MSV, ROUND_HALF_EVEN)
    factors = tuple(dict.fromkeys(used))
    k = ", ".join(f"{factor:f}" for factor in factors)
    return Estimate(
        msv, factors, table["source"], _confidence(parts, age_years, table),
        f"有效剂量约 {msv} mSv（k = {k} mSv/(mGy·cm)，{table['source']}）：针对参考人的估算，不代表个人剂量。",
        f"Effective dose about {msv} mSv (k = {k} mSv/(mGy.cm), {table['source']}): an estimate for a reference patient, "
        "not this person's dose.",
    )  # fmt: skip


def stated(msv: Decimal) -> Estimate:
    """What the scanner itself states; by which method is in its report."""
    return Estimate(
        msv, (), "the dose report", "S",
        f"剂量报告给出的有效剂量为 {msv} mSv：针对参考人，不代表个人剂量。",
        f"The dose report states an effective dose of {msv} mSv: for a reference patient, not this person's dose.",
    )  # fmt: skip


def factor_region(regions: frozenset[str]) -> str:
    """The row of the factor table that regions of the body stand for; empty when none fits."""
    rows = {row for region in regions for row in _data()["rows"].get(region, ())}
    if not rows or regions & set(_NEITHER_BODY_NOR_HEAD):
        return ""
    if len(rows) == 1:
        return str(rows.pop())
    return next((str(joined["row"]) for joined in _data()["joined"] if rows <= set(joined["of"])), "")


def _factor(entry: Mapping[str, Any], age_years: int, table: Mapping[str, Any]) -> tuple[Decimal, bool]:
    if age_years >= table["adult_from_years"]:
        return Decimal(entry["adult"]), False
    ages = [age for age in table["ages"] if age <= age_years]
    return Decimal(entry["child"][table["ages"].index(max(ages))]), True


def _confidence(parts: Sequence[Part], age_years: int, table: Mapping[str, Any]) -> str:
    """That of the least sure factor."""
    name = "confidence" if age_years >= table["adult_from_years"] else "child_confidence"
    held = {str(table["region"][factor_region(part.regions)][name]) for part in parts}
    return "S" if held == {"S"} else "R"


def _none(table: Mapping[str, Any], zh: str, en: str) -> Estimate:
    return Estimate(None, (), table["source"], "S", f"未估算有效剂量：{zh}。", f"Effective dose not computed: {en}.")


def _in_force(on: date) -> Mapping[str, Any]:
    sets: list[Mapping[str, Any]] = _data()["set"]
    return max((one for one in sets if one["from"] <= on), key=lambda one: one["from"], default=sets[0])


@cache
def _data() -> Mapping[str, Any]:
    with _FACTORS.open("rb") as file:
        return tomllib.load(file)

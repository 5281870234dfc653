"""Doses of groups against reference levels: the median of a group is compared, never a single patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from slipring.rules.limits import Limits

from slipring_order.dose.levels import Level

UNITS = {"ctdivol": "mGy", "dlp": "mGy.cm"}
QUANTITIES = tuple(UNITS)
VERDICTS: Mapping[str, tuple[str, str]] = {
    "above": ("组中位数高于诊断参考水平，请复核扫描方案", "the group's median is above the level: review the protocol"),
    "unusually-low": (
        "组中位数异常偏低，请复核图像质量",
        "the group's median is unusually low: review the image quality",
    ),
    "within": ("组中位数未超过诊断参考水平", "the group's median does not exceed the level"),
    "too-few": ("例数不足，不作判断", "too few patients to say anything"),
    "no-level": ("没有适用的参考数值", "there is no level to compare with"),
}


@dataclass(frozen=True, slots=True)
class ExamMeasure:
    """What one exam was given, with the level it belongs to; None where it was not said or does not compare."""

    reference: str  # Observation/...
    key: str
    scanner: str
    level: Level | None
    band: str
    ctdivol: Decimal | None
    dlp: Decimal | None

    def of(self, quantity: str) -> Decimal | None:
        """CTDIvol in mGy or DLP in mGy.cm."""
        return self.ctdivol if quantity == "ctdivol" else self.dlp


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of exam on one scanner in one band of patients."""

    key: str
    scanner: str
    band: str
    quantity: str
    median: Decimal | None
    level: Level | None
    verdict: str
    members: tuple[str, ...]


def groups(measures: Iterable[ExamMeasure], limits: Limits) -> list[Group]:
    """The median of every group beside its level; a group too small is listed and not judged."""
    sorted_in: dict[tuple[str, str, str], list[ExamMeasure]] = {}
    for measure in measures:
        sorted_in.setdefault((measure.key, measure.scanner, measure.band), []).append(measure)
    least = int(limits.limit("dose.group-size").value)
    return [
        _group(key, scanner, band, quantity, held, least)
        for (key, scanner, band), held in sorted(sorted_in.items())
        for quantity in QUANTITIES
    ]


def _group(key: str, scanner: str, band: str, quantity: str, held: list[ExamMeasure], least: int) -> Group:
    told = [(each.reference, value) for each in held if (value := each.of(quantity)) is not None]
    middle = median(value for _, value in told) if told else None
    level = next((each.level for each in held if each.level), None)
    verdict = _verdict(middle, level, quantity, len(told), least)
    return Group(key, scanner, band, quantity, middle, level, verdict, tuple(reference for reference, _ in told))


def _verdict(middle: Decimal | None, level: Level | None, quantity: str, size: int, least: int) -> str:
    low, _, high = level.of(quantity) if level else (None, None, None)
    if high is None:
        return "no-level"
    if middle is None or size < least:
        return "too-few"
    if middle > high:
        return "above"
    return "unusually-low" if low is not None and middle < low else "within"

"""A single dose beside its reference level: a prompt to look, never a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.dose.groups import QUANTITIES, ExamMeasure

_NAMES = {"ctdivol": ("CTDIvol", "mGy"), "dlp": ("DLP", "mGy·cm")}


@rule("order.dose-above-level", clause="CL02-A011:5.6.2.3", weight="info")
def looks_at_a_dose_above_the_level(measure: ExamMeasure, limits: Limits, now: datetime) -> Hit | None:
    """A single dose above the reference level is looked at; the level judges groups and not patients.

    A large patient or a second attempt may be the whole reason.
    """
    over = [(name, value, high) for name, value, _, high in _compared(measure) if high is not None and value > high]
    if not over or measure.level is None:
        return None
    said = ", ".join(f"{_NAMES[n][0]} {value} > {high} {_NAMES[n][1]}" for n, value, high in over)
    doubt = ("", "") if measure.level.chosen.confirmed else ("（默认值，未经科室确认）", " (unconfirmed default)")
    return Hit(
        f"剂量高于参考水平，请查看原因：{said}{doubt[0]}。参考水平用于成组比较，不判定个人。",
        f"The dose is above the reference level, please look why: {said}{doubt[1]}. Levels judge groups, not one patient.",
        at="Observation.component",
        inputs=_inputs(measure, [name for name, *_ in over]),
        limit=measure.level.chosen,
    )


@rule("order.dose-unusually-low", clause="CL02-A011:5.6.2.3", weight="info")
def looks_at_an_unusually_low_dose(measure: ExamMeasure, limits: Limits, now: datetime) -> Hit | None:
    """A single dose below the lower quarter is looked at: the images may be too noisy to read."""
    under = [(name, value, low) for name, value, low, _ in _compared(measure) if low is not None and value < low]
    if not under or measure.level is None:
        return None
    said = ", ".join(f"{_NAMES[n][0]} {value} < {low} {_NAMES[n][1]}" for n, value, low in under)
    doubt = ("", "") if measure.level.chosen.confirmed else ("（默认值，未经科室确认）", " (unconfirmed default)")
    return Hit(
        f"剂量异常偏低，请查看图像质量：{said}{doubt[0]}。",
        f"The dose is unusually low, please look at the images: {said}{doubt[1]}.",
        at="Observation.component",
        inputs=_inputs(measure, [name for name, *_ in under]),
        limit=measure.level.chosen,
    )


def _compared(measure: ExamMeasure) -> Iterator[tuple[str, Decimal, Decimal | None, Decimal | None]]:
    """Quantity, value, lower quarter, level."""
    for name in QUANTITIES:
        value = measure.of(name)
        if value is not None and measure.level is not None:
            low, _, high = measure.level.of(name)
            yield name, value, low, high


def _inputs(measure: ExamMeasure, quantities: list[str]) -> dict[str, object]:
    return {"exam": measure.key, "band": measure.band, "quantities": quantities}

"""Water phantoms as they come: drawn by a seed over wide ranges, and how far what is measured lies from the truth."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.reading import slices_of
from slipring.qc.image.result import Measured, first

from tests.support.phantoms import Phantom

# What is said to be held; of MTF and CT numbers the uncertainty that is told may be used up instead.
TOLERANCES = {
    "centre": 0.15, "diameter": 0.3, "water_ct_number": 0.3, "uniformity": 0.4, "noise_sd": 6.0, "mtf50": 4.0, "mtf10": 4.0,
    "lean": 1.0,
}  # fmt: skip
UNITS = {
    "centre": "mm", "diameter": "%", "water_ct_number": "HU", "uniformity": "HU", "noise_sd": "%", "mtf50": "%", "mtf10": "%",
    "lean": "degrees",
}  # fmt: skip
_STANDARD_ERRORS = {"water_ct_number": 3.5, "uniformity": 4.0, "mtf50": 3.0, "mtf10": 3.0, "lean": 3.0}
_STORED: tuple[dict[str, Any], ...] = (
    {}, {"signed": False}, {"slope": 0.5, "intercept": -1024}, {"intercept": 0}, {"slope": 2, "intercept": -8192},
    {"signed": False, "padding": 0}, {"padding": -2000}, {"padding": -3024}, {"padding": -1024, "intercept": 0},
    {"padding": -32768, "intercept": 0}, {"signed": False, "padding": 63536},
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A case with its deviations and those that are allowed, in the units of UNITS; `wrong`: what else was told wrongly."""

    phantom: Phantom
    off: dict[str, float] = field(default_factory=dict)
    allowed: dict[str, float] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    def outside(self) -> list[str]:
        """What is beyond its tolerance, or wrong."""
        return [f"{item} {self.off[item]:.3g}" for item in self.off if self.off[item] > self.allowed[item]] + [
            *self.wrong
        ]


def a_case(seed: int, largest: int = 768) -> tuple[Phantom, dict[str, Any]]:
    """A phantom and how it is stored. Sizes, walls, leans, noise, blur, couch and padding of scanners in use."""
    draw = random.Random(seed)
    while True:
        matrix = draw.choice([side for side in (256, 340, 512, 512, 512, 768) if side <= largest])
        field_mm = draw.choice([180.0, 220.0, 250.0, 250.0, 300.0, 350.0, 400.0, 500.0])
        diameter = draw.choice([150, 160, 180, 200, 200, 200, 210, 216, 216, 240, 250, 300, 320]) + draw.uniform(-4, 4)
        tilt = draw.choice([0.0, 0.0, 0.0, 2.0, 4.0, 7.0, 10.0])
        room = min(30.0, (field_mm - diameter / math.cos(math.radians(tilt))) / 2 - 3)
        if room > 1:
            break
    step = field_mm / matrix
    phantom = Phantom(
        matrix=matrix, field_mm=field_mm, diameter_mm=diameter, tilt_deg=tilt,
        wall_mm=draw.choice([0.0, 3.0, 5.0, 6.0, 8.0, 10.0, 12.0]), wall_hu=draw.choice([60, 120, 120, 130, 250]),
        centre_mm=(0.7 * draw.uniform(-room, room), 0.7 * draw.uniform(-room, room)),
        water_hu=draw.uniform(-10, 10), cupping_hu=draw.choice([-8, -4, 0, 0, 3, 8]),
        noise_hu=draw.choice([2, 3, 4, 6, 10, 20, 35]), blur_mm=max(draw.choice([0.35, 0.45, 0.55, 0.7, 0.9, 1.1]), 0.55 * step),
        thickness_mm=draw.choice([0.625, 1.25, 2.5, 5, 10]), couch=draw.random() < 0.5, seed=seed,
    )  # fmt: skip
    return phantom, draw.choice(_STORED)


def judged(phantom: Phantom, stored: dict[str, Any]) -> Judged:
    """Measure it and hold what is told against what was drawn."""
    found = analyse(next(slices_of(phantom.dataset(**stored))))
    seen, lean = found.phantom(), 1 / math.cos(math.radians(phantom.tilt_deg))
    places = zip(seen["from_image_middle_mm"], phantom.centre_mm, strict=True)
    off = {
        "centre": max(abs(one - other) for one, other in places),
        "diameter": abs(seen["diameter_mm"] / (phantom.diameter_mm * math.sqrt(lean)) - 1) * 100,
    }
    if phantom.tilt_deg:
        off["lean"] = abs(seen["lean_deg"] - phantom.tilt_deg)
    sure = {"lean": seen["lean_uncertainty_deg"]}
    wrong = _wrong(found, phantom)
    for item, truth in _truths(phantom, stored.get("slope", 1)).items():
        one = first(found.measured, item)
        if one is None:
            # A blur that the pixels do not sample to its tenth, or an edge that drowns, gives none.
            if not item.startswith("mtf") or (phantom.noise_hu < 20 and truth < 0.6 / phantom.step):
                wrong.append(f"no {item}")
            continue
        share = 100 / truth if UNITS[item] == "%" else 1.0
        off[item] = _distance(one, truth) * share
        sure[item] = (one.uncertainty or 0.0) * share
    allowed = {item: _allowed(item, sure.get(item, 0.0)) for item in off}
    return Judged(phantom, off, allowed, tuple(wrong))


def _truths(phantom: Phantom, slope: float) -> dict[str, float]:
    inner = phantom.diameter_mm / 2 - phantom.wall_mm
    # The SD of a disc of four tenths holds the cupping in it, too (c x (r / R)² is uniform from 0 to 0.16 c), and the
    # rounding of what is stored.
    return {
        "water_ct_number": phantom.water_hu,
        "uniformity": phantom.cupping_hu * ((inner * 0.9 - 10) / inner) ** 2,
        "noise_sd": math.hypot(phantom.noise_hu, 0.16 * phantom.cupping_hu / math.sqrt(12), slope / math.sqrt(12)),
        "mtf50": math.sqrt(math.log(2) / 2) / math.pi / phantom.blur_mm,
        "mtf10": math.sqrt(math.log(10) / 2) / math.pi / phantom.blur_mm,
    }


def _distance(one: Measured, truth: float) -> float:
    each = one.more["edge_minus_centre"] if one.item == "uniformity" else [one.value]
    return max(abs(value - truth) for value in each)


def _allowed(item: str, sure: float) -> float:
    told = TOLERANCES[item]
    if item in ("water_ct_number", "uniformity"):
        return told + _STANDARD_ERRORS[item] * sure
    return max(told, _STANDARD_ERRORS.get(item, 0.0) * sure)


def tolerance(item: str) -> str:
    """In words; `u` is the uncertainty that is told with the value."""
    errors, told = _STANDARD_ERRORS.get(item), f"{TOLERANCES[item]:g}"
    if errors is None:
        return told
    return f"{told} + {errors:g} u" if item in ("water_ct_number", "uniformity") else f"{told}, or {errors:g} u"


def _wrong(found: Analysed, phantom: Phantom) -> list[str]:
    """Things that are not there, and a lean that nobody tells."""
    flags = {flag.code for flag in found.flags} - {"off-centre", "touched"}
    wrong = sorted(
        {one.item for one in found.measured}
        & {"insert", "slice_thickness", "low_contrast_target", "bar_patterns", "pin_distance"}
    )
    wrong += sorted(flags - {"tilted"})
    if ("tilted" in flags) != (phantom.tilt_deg > 6):
        wrong.append("lean not told" if phantom.tilt_deg > 6 else "lean told")
    return wrong

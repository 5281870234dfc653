"""One slice, from pixels to values, flags and what it is not."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from slipring.qc.image.artefact import measure_artefacts, measure_spot, spot_on_axis
from slipring.qc.image.bar_groups import measure_groups
from slipring.qc.image.description import Description, described
from slipring.qc.image.ellipse import Ellipse
from slipring.qc.image.ge_block import Block, find_block, measure_bars, measure_rows
from slipring.qc.image.inserts import find_inserts, measure_inserts
from slipring.qc.image.low_contrast import measure_low_contrast, measure_targets
from slipring.qc.image.outline import NoPhantom, find_outline
from slipring.qc.image.pins import find_pins, measure_pins, told_by_inserts
from slipring.qc.image.ramps import find_ramps, measure_ramps
from slipring.qc.image.result import Flag, Measured, first, rounded
from slipring.qc.image.section import Section, read_section
from slipring.qc.image.slice import Slice
from slipring.qc.image.spectrum import noise_of_filling
from slipring.qc.image.transfer import transfers
from slipring.qc.image.water import measure_water


@dataclass(frozen=True, slots=True)
class Analysed:
    """What a slice of a phantom gave."""

    image: Slice
    section: Section
    block: Block | None
    measured: tuple[Measured, ...]
    flags: tuple[Flag, ...]
    named: str | None = None  # the phantom of phantoms.toml that was recognised

    def phantom(self) -> dict[str, Any]:
        """Where the phantom is and how it stands."""
        edge, mm = self.section.outline, self.image.spacing_mm
        x, y = self.image.place_mm(edge.x, edge.y)
        across, sure = lean_deg(edge)
        rows, columns = self.image.shape
        tree = {
            "centre_mm": [rounded(x, 3), rounded(y, 3)],
            "centre_px": [rounded(edge.x, 2), rounded(edge.y, 2)],
            "from_image_middle_mm": [rounded((edge.x - (columns - 1) / 2) * mm, 3), rounded((edge.y - (rows - 1) / 2) * mm, 3)],
            "coordinates": "patient (ImagePositionPatient)" if self.image.origin_mm else "from the middle of the image",
            "diameter_mm": rounded(2 * edge.radius * mm, 3),
            "inner_diameter_mm": rounded(2 * self.section.inner_radius * mm, 3),
            "lean_deg": rounded(across, 2),
            "lean_uncertainty_deg": rounded(sure, 2),
        }  # fmt: skip
        if self.image.cut_off:
            del tree["diameter_mm"]
        if self.named is not None:
            tree["described_as"] = self.named
        if self.block is not None:
            tree["roll_deg"] = rounded(self.block.roll_deg, 2)
        return tree


def analyse(image: Slice, description: Description | None = None) -> Analysed:
    """Find the phantom and measure all that the slice shows. Raises NoPhantom with its reason."""
    told = description or described()
    if image.oblique:
        raise NoPhantom(
            "rotated",
            "not an axial image: ImageOrientationPatient is turned",
            "不是横断面图像：ImageOrientationPatient 有旋转",
        )
    outline = find_outline(image)
    section = read_section(image, outline)
    spot = spot_on_axis(section)
    if spot is not None:
        section = replace(section, bodies=(), marked=np.zeros_like(section.marked))
    block = find_block(section, told)
    claimed = block.claimed if block else ()
    inserts = find_inserts(section, claimed)
    noise = noise_of_filling(section)
    found = measure_water(section, told, noise)
    found += [measure_spot(section, spot)] if spot is not None else []
    uniform = first(found, "uniformity") is not None and first(found, "noise_sd") is not None
    pins = find_pins(section, told)
    name, inserts = ("ge-qa", inserts) if block else told_by_inserts(section, inserts, told)
    name = name or (pins.phantom if pins else None)
    materials = told.phantoms[name].get("material", told.materials) if name else told.materials
    found += [*measure_inserts(section, inserts, materials), *measure_targets(section), *measure_pins(section, pins)]
    # The described patterns count before what is told from the picture alone.
    if block is not None:
        found += [*measure_bars(section, block), *measure_rows(section, block)]
    elif len(section.bodies) > len(inserts):
        found += measure_groups(section)
    ramps = find_ramps(section, claimed, pins, told)
    curves = transfers(section, inserts, ramps)
    found += measure_ramps(section, told, ramps, curves[0].blur if curves else 0.0)
    for curve in curves:
        found += curve.as_measured()
    if curves and curves[0].mtf10 is not None:
        best = curves[0].as_measured()[1]
        how = f"frequency of 10 % modulation, {best.method}"
        found.append(
            Measured("high_contrast", best.value * 10, "lp/cm", how, best.regions, (best.uncertainty or 0) * 10)
        )  # fmt: skip
    if uniform:
        found += measure_low_contrast(section, told, noise) if noise else []
    # A strong streak through the middle is a faint body, which leaves no noise to tell: it is told all the same.
    if uniform or (first(found, "uniformity") and any(body.faint_line for body in section.bodies)):
        found += measure_artefacts(section, ramps)
    found += _geometry(section, block)
    return Analysed(image, section, block, tuple(found), tuple(_flags(section, block, found, told, name)), name)


def lean_deg(edge: Ellipse) -> tuple[float, float]:
    """How far the axis leans from the normal of the slice: cos(lean) = short / long axis; and how sure that is.

    A lean of 2 degrees makes 0.06 %: near 0 the uncertainty is as large as the value.
    """
    ratio = min(1.0, edge.b / edge.a)
    off = max(edge.residual * math.sqrt(8 / 360), 0.02) / edge.radius
    lean = math.degrees(math.acos(ratio))
    return lean, abs(math.degrees(math.acos(max(0.0, ratio - off))) - lean)


def _geometry(section: Section, block: Block | None) -> list[Measured]:
    edge, mm = section.outline, section.image.spacing_mm
    across, down = 2 * edge.reach(0.0) * mm, 2 * edge.reach(math.pi / 2) * mm
    sure = 2 * max(edge.residual * math.sqrt(4 / 360), 0.01) * mm
    if section.image.cut_off:
        return []
    found = [
        Measured("diameter_x", across, "mm", "edge at half height, fitted ellipse", (), sure),
        Measured("diameter_y", down, "mm", "edge at half height, fitted ellipse", (), sure),
    ]
    if block is not None:
        off = 2 * edge.radius * mm - block.described["diameter_mm"]
        found.append(Measured("diameter_deviation", off, "mm", "diameter minus the described one (ge-qa)", (), sure))
    return found


def _flags(
    section: Section, block: Block | None, found: list[Measured], told: Description, named: str | None
) -> list[Flag]:
    limits, flags = told.flags, []
    for item in ("ring", "streak"):
        one = first(found, item)
        strong = one is not None and abs(one.value) >= limits[f"{item}_hu"]
        if one is not None and strong and one.more["sigmas"] >= limits[f"{item}_sigmas"]:
            what = "环状伪影" if item == "ring" else "条状伪影"
            flags.append(
                Flag(item, f"a {item} of {one.value:.1f} HU is in the water", f"水中有 {one.value:.1f} HU 的{what}")
            )
    lean, sure = lean_deg(section.outline)
    if lean - sure > limits["tilt_deg"]:
        flags.append(Flag("tilted", f"the phantom leans by {lean:.1f} degrees", f"模体倾斜 {lean:.1f} 度"))
    if block is not None and (abs(block.roll_deg) > limits["roll_deg"] or block.mirrored):
        by = f"{block.roll_deg:.1f}"
        how, zh = ("mirrored", "左右镜像") if block.mirrored else (f"rolled by {by} degrees", f"绕轴转动 {by} 度")
        flags.append(Flag("rolled", f"the phantom is {how}", f"模体{zh}"))
    rows, columns = section.image.shape
    off = math.hypot(section.outline.x - (columns - 1) / 2, section.outline.y - (rows - 1) / 2)
    off *= section.image.spacing_mm
    if off > limits["off_centre_mm"]:
        flags.append(
            Flag(
                "off-centre",
                f"the phantom is {off:.0f} mm from the middle of the image",
                f"模体偏离图像中心 {off:.0f} mm",
            )
        )
    if section.image.mirrored:
        flags.append(
            Flag(
                "turned",
                "rows or columns run the other way (prone): places are those of the picture",
                "行或列方向相反（俯卧）：位置以画面为准",
            )
        )
    if section.image.cut_off:
        flags.append(
            Flag(
                "cut-off",
                "CT numbers below a value are cut off: edge, diameter and MTF are not those of air",
                "低于某值的 CT 值被截断：边缘、直径和 MTF 不是相对空气的",
            )
        )
    if section.outline.found < 0.9:
        flags.append(
            Flag(
                "touched",
                "something touches the phantom (couch, holder): its edge there was left out",
                "有物体接触模体（床、支架）：该处边缘未计入",
            )
        )
    middle = float(section.filling.mean())
    if first(found, "water_ct_number") is None and first(found, "insert") is None and block is None:
        flags.append(
            Flag(
                "no-water",
                f"no water was found: the filling reads {middle:.0f} HU, or is not uniform",
                f"未找到水：填充物为 {middle:.0f} HU，或不均匀",
            )
        )
    # A round bubble in water looks like an insert of air; but inserts are of several materials, and stand off the wall.
    alone = not any(one.item == "insert" and not one.more["name"].startswith("air") for one in found)
    alone = alone and named is None and abs(middle) < told.water["water_like_hu"]
    bubble = [
        body
        for body in section.bodies
        if body.contrast < -400 and body.area > 30 and (not body.round or body.at_wall or alone)
    ]
    if bubble:
        flags.append(
            Flag(
                "air",
                "there is air in the phantom that is no insert (bubble, not full)",
                "模体内有非插件的空气（气泡或未灌满）",
            )
        )
    return flags

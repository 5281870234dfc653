"""An annotated picture of a measured image: where each value was taken, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from slipring.qc.image.analysis import Analysed
from slipring.qc.image.lettering import Font, fitting, letters, written
from slipring.qc.image.limits.verdict import Verdict
from slipring.qc.image.result import Measured, Region
from slipring.qc.image.words import sentence, word

_HEIGHT = 768
_PANEL = 420
_WINDOW_HU = 400.0
_COLOURS = {
    "water_ct_number": "#00d0ff", "uniformity": "#7dff5a", "noise_sd": "#ffd400", "insert": "#ff9d3c", "mtf50": "#ff5ad2",
    "slice_thickness": "#ff6a5a", "bar_patterns": "#c8a2ff", "low_contrast_5mm": "#5ac8a0", "low_contrast_target": "#5ac8a0",
    "pin_distance": "#8fb8ff",
    "ring": "#ff4040",
    "streak": "#ff4040",
}  # fmt: skip
_OUTCOMES = {"pass": "#7dff5a", "within": "#7dff5a", "fail": "#ff4040", "warn": "#ffd400"}


def draw(analysed: Analysed, verdicts: Sequence[Verdict], title: str, file: Path, language: str = "en") -> None:
    """Write a PNG: the image at 400 HU about the filling, every region in a colour of its own, values beside it.

    Captions are in `language` (zh or en); in English where the system has no font for Chinese.
    """
    language = written(language)
    picture, scale = _window(analysed)
    width, height = picture.size
    sheet = Image.new("RGB", (width + _PANEL, max(height, 640)), "#101418")
    sheet.paste(picture, (0, 0))
    pen = ImageDraw.Draw(sheet)
    _outline(pen, analysed, scale)
    strong = {flag.code for flag in analysed.flags}
    drawn: set[str] = set()
    for one in analysed.measured:
        colour = _COLOURS.get(one.item)
        hidden = one.item in ("ring", "streak") and one.item not in strong
        if colour is None or hidden or (one.item == "mtf50" and one.item in drawn):
            continue
        drawn.add(one.item)
        for region in one.regions:
            _region(pen, region, colour, scale, language)
    _texts(pen, analysed, verdicts, title, width + 14, language)
    sheet.save(file, "PNG")


def _window(analysed: Analysed) -> tuple[Image.Image, float]:
    """Grey values: the level is the filling's CT number."""
    image = analysed.image
    level = float(np.median(analysed.section.filling))
    grey = np.clip((image.hu - (level - _WINDOW_HU / 2)) / _WINDOW_HU, 0, 1) * 255
    scale = _HEIGHT / image.shape[0]
    size = (max(1, round(image.shape[1] * scale)), _HEIGHT)
    shown = Image.fromarray(grey.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    return shown.convert("RGB"), scale


def _outline(pen: ImageDraw.ImageDraw, analysed: Analysed, scale: float) -> None:
    edge = analysed.section.outline
    for share, colour in ((1.0, "#ffffff"), (analysed.section.inner, "#8899aa")):
        angles = np.linspace(0, 2 * np.pi, 181)
        reach = np.array([edge.reach(float(angle)) for angle in angles]) * share
        xs, ys = edge.x + reach * np.cos(angles), edge.y + reach * np.sin(angles)
        pen.line([((x + 0.5) * scale, (y + 0.5) * scale) for x, y in zip(xs, ys, strict=True)], fill=colour, width=1)
    x, y = (edge.x + 0.5) * scale, (edge.y + 0.5) * scale
    pen.line([(x - 6, y), (x + 6, y)], fill="#ffffff")
    pen.line([(x, y - 6), (x, y + 6)], fill="#ffffff")


def _region(pen: ImageDraw.ImageDraw, region: Region, colour: str, scale: float, language: str) -> None:
    places = [((x + 0.5) * scale, (y + 0.5) * scale) for x, y in region.points]
    if not places:
        return
    if region.kind == "disc":
        (x, y), r = places[0], region.radius * scale
        pen.ellipse([x - r, y - r, x + r, y + r], outline=colour, width=2)
        if region.label and region.label != "MTF":
            label = word("region", region.label, language)
            pen.text((x, y - r - 2), label, fill=colour, font=letters(13, language), anchor="ms")
    elif region.kind == "box":
        pen.line([*places, places[0]], fill=colour, width=1)
    else:
        pen.line(places, fill=colour, width=2)


def _texts(
    pen: ImageDraw.ImageDraw, analysed: Analysed, verdicts: Sequence[Verdict], title: str, left: int, language: str
) -> None:
    font, large, small = letters(14, language), letters(17, language), letters(12, language)
    room, y = _PANEL - 24, 14

    def line(text: str, colour: str, font: Font, step: int) -> None:
        nonlocal y
        pen.text((left, y), fitting(pen, text, font, room), fill=colour, font=font)
        y += step

    line(title, "#ffffff", large, 28)
    for text in headings(analysed, language):
        line(text, "#aab4be", font, 19)
    y += 8
    for one in _told(analysed.measured):
        sure = f" ± {one.uncertainty:.2g}" if one.uncertainty else ""
        pen.text((left + 190, y), f"{one.value:.4g}{sure} {one.unit}", fill="#ffffff", font=font)
        line(name_of(one, language), _COLOURS.get(one.item, "#e6e6e6"), font, 19)
    y += 8
    for verdict in verdicts:
        line(caption_of(verdict, language), _OUTCOMES.get(verdict.outcome, "#aab4be"), small, 17)
    y += 6
    for flag in analysed.flags:
        line(f"{flag.code}: {flag.said(language)}", "#ffd400", small, 17)


def headings(analysed: Analysed, language: str) -> tuple[str, str]:
    """Where the phantom is and how large, and the size of pixel and slice."""
    phantom = analysed.phantom()
    x, y = phantom["centre_mm"]
    where = sentence("caption", "centre", language, x=x, y=y)
    if "diameter_mm" in phantom:
        where += sentence("caption", "diameter", language, across=phantom["diameter_mm"])
    size = analysed.image.thickness_mm or "?"
    return where, sentence("caption", "pixel", language, pixel=analysed.image.spacing_mm, slice=size)


def name_of(one: Measured, language: str) -> str:
    """What a value is called; an insert with its material."""
    name = word("item", one.item, language)
    if one.item != "insert":
        return name
    material, dash, number = str(one.more["name"]).partition("-")  # the second of a material is numbered
    return f"{name} {word('material', material, language)}{dash}{number}"


def caption_of(verdict: Verdict, language: str) -> str:
    """A value's outcome, with the kind of test that the limit is for."""
    text = f"{word('item', verdict.item, language)}: {word('outcome', verdict.outcome, language)}"
    kind = verdict.limit.id.rpartition(".")[2] if verdict.limit else ""
    return f"{text}  ({word('kind', kind, language)})" if kind else text


def _told(measured: Sequence[Measured]) -> list[Measured]:
    """Each item once, inserts all: what fits beside the picture."""
    found: list[Measured] = []
    for one in measured:
        if one.item in ("insert", "low_contrast_target") or one.item not in {other.item for other in found}:
            found.append(one)
    return found[:24]

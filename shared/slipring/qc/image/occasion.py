"""The images of one file or folder together: the values everybody asks for, and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from slipring.qc.image.analysis import Analysed
from slipring.qc.image.limits.book import Edition
from slipring.qc.image.limits.verdict import Circumstances, Verdict, verdicts
from slipring.qc.image.result import Flag, Measured, rounded

# How the values are called where they stand alone.
_HEADLINES = {
    "water_ct_number": "water_ct_number",
    "noise_sd": "noise_sd",
    "noise_percent": "noise_percent",
    "noise_percent_10mm": "noise_percent_10mm",
    "slice_thickness": "slice_thickness_mm",
    "low_contrast": "low_contrast_mm",
    "pin_distance": "pin_distance_mm",
    "bar_patterns": "bar_patterns_lp_cm",
    "ring": "ring_hu",
    "streak": "streak_hu",
}
_JUDGED = (
    "water_ct_number", "uniformity", "noise_percent_10mm", "slice_thickness", "high_contrast", "low_contrast",
    "ct_number_linearity",
)  # fmt: skip
_SEVERAL = Flag(
    "several-phantoms",
    "the images show phantoms of different sizes: read them one by one",
    "图像中的模体大小不一：请逐幅判读",
)
_PROTOCOLS = Flag(
    "several-protocols",
    "the images differ in slice thickness, kernel or tube voltage: read them one by one",
    "图像的层厚、重建核或管电压不一：请逐幅判读",
)
# Refused although a phantom is in the image.
_PHANTOMS_REFUSED = frozenset({"clipped", "empty-phantom"})


@dataclass(slots=True)
class Occasion:
    """What was looked at under one name; images that gave nothing are in `refused` with code and reason."""

    name: str
    images: dict[str, Analysed] = field(default_factory=dict)
    refused: dict[str, Flag] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, float]:
        """Item to value: the mean of the images that gave it; of uniformity and linearity the worst."""
        found: dict[str, float] = {}
        for item in dict.fromkeys(one.item for image in self.images.values() for one in image.measured):
            each = self._each(item)
            if item in ("uniformity", "ct_number_linearity", "ring", "streak"):
                found[item] = max((one.value for one in each), key=abs)
            elif item in ("mtf50", "mtf10", "high_contrast"):
                # A wire or an insert before the outline, then the surest.
                best = [one for one in each if one.method == _best_method(each)]
                found[item] = float(np.mean([one.value for one in best]))
            else:
                found[item] = float(np.mean([one.value for one in each]))
        return found

    def _each(self, item: str) -> list[Measured]:
        """The first value of an item in each image: the best one, where an image gives several."""
        firsts = (next((one for one in image.measured if one.item == item), None) for image in self.images.values())
        return [one for one in firsts if one is not None]

    def verdicts(self, edition: Edition, kind: str, on: date, baseline: Mapping[str, float] | None) -> list[Verdict]:
        """Each value that the edition has a limit for."""
        values = self.values()
        images = [image.image for image in self.images.values()]
        thickness = next((image.thickness_mm for image in images if image.thickness_mm), None)
        kernel = next((str(image.facts["kernel"]) for image in images if "kernel" in image.facts), "")
        seen = Circumstances(kind, on, thickness, kernel, baseline)
        return verdicts({item: values[item] for item in _JUDGED if item in values}, edition, seen)

    def as_tree(
        self, edition: Edition, kind: str, on: date, baseline: Mapping[str, float] | None, language: str = "en"
    ) -> dict[str, Any]:
        """As printed; texts are in one language, zh or en. Members that the images cannot give are absent."""
        if not self.images:
            codes = {flag.code for flag in self.refused.values()}
            return {"is_phantom": bool(codes & _PHANTOMS_REFUSED)} | self._refusals(language)
        values, trees = self.values(), {name: _image_tree(image) for name, image in self.images.items()}
        for name, picture in self.pictures.items():
            trees[name]["picture"] = picture
        tree: dict[str, Any] = {"is_phantom": True}
        tree |= {shown: rounded(values[item]) for item, shown in _HEADLINES.items() if item in values}
        tree |= {f"{item}_per_mm": rounded(values[item], 5) for item in ("mtf50", "mtf10") if item in values}
        edges = [one.more["edge_minus_centre"] for one in self._each("uniformity")]
        if edges:
            tree["uniformity"] = [rounded(value) for value in np.mean(edges, axis=0)]
        inserts = self._inserts()
        if inserts:
            tree["inserts"] = inserts
        centres = [one["phantom"]["centre_mm"] for one in trees.values()]
        tree["centre_mm"] = [rounded(value, 3) for value in np.mean(centres, axis=0)]
        diameters = [one["phantom"]["diameter_mm"] for one in trees.values() if "diameter_mm" in one["phantom"]]
        if diameters:
            tree["diameter_mm"] = rounded(float(np.mean(diameters)), 3)
        tree["verdicts"] = [
            one.as_tree(edition.name, kind, language) for one in self.verdicts(edition, kind, on, baseline)
        ]
        flags = [
            {"code": flag.code, "text": flag.said(language), "image": name}
            for name, one in self.images.items()
            for flag in one.flags
        ]
        if diameters and max(diameters) - min(diameters) > 3:
            flags.append({"code": _SEVERAL.code, "text": _SEVERAL.said(language)})
        if len(self._protocols()) > 1:
            flags.append({"code": _PROTOCOLS.code, "text": _PROTOCOLS.said(language)})
        tree["flags"] = flags
        if len(trees) == 1:
            return tree | next(iter(trees.values())) | self._refusals(language)
        return tree | {"images": trees} | self._refusals(language)

    def _protocols(self) -> set[tuple[object, ...]]:
        """What the images say of slice thickness, kernel and tube voltage."""
        return {
            (one.image.thickness_mm, one.image.facts.get("kernel"), one.image.facts.get("kvp"))
            for one in self.images.values()
        }

    def _inserts(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for image in self.images.values():
            for one in image.measured:
                if one.item == "insert":
                    found.setdefault(one.more["name"], []).append(one.value)
        return {name: rounded(float(np.mean(values))) for name, values in found.items()}

    def _refusals(self, language: str) -> dict[str, Any]:
        if not self.refused:
            return {}
        told = {name: {"code": flag.code, "text": flag.said(language)} for name, flag in self.refused.items()}
        return {"refused": told}


def _best_method(each: Sequence[Measured]) -> str:
    order = ("wire or bead", "edge of an insert", "edge of the phantom")
    return min(
        (one.method for one in each), key=lambda method: next((n for n, one in enumerate(order) if one in method), 9)
    )


def _image_tree(image: Analysed) -> dict[str, Any]:
    acquired = {"pixel_mm": rounded(image.image.spacing_mm, 5), "nominal_thickness_mm": image.image.thickness_mm}
    return {
        "phantom": image.phantom(),
        "image": {name: value for name, value in (acquired | image.image.facts).items() if value is not None},
        "results": [one.as_tree(image.image) for one in image.measured],
    }


def baseline_of(tree: Mapping[str, Any], name: str) -> dict[str, float]:
    """Baseline values from a JSON object: items with numbers, or the answer of an earlier analysis (this name, or its only one)."""
    entry: Any = tree.get(name)
    if not isinstance(entry, Mapping):
        whole = [value for value in tree.values() if isinstance(value, Mapping) and "verdicts" in value]
        entry = whole[0] if len(whole) == 1 else tree
    found = {item: float(entry[shown]) for item, shown in _HEADLINES.items() if _number(entry.get(shown))}
    found |= {item: float(entry[item]) for item in _JUDGED if _number(entry.get(item))}
    if _number(entry.get("mtf10_per_mm")):
        found.setdefault("high_contrast", entry["mtf10_per_mm"] * 10)
    edges = entry.get("uniformity")
    if isinstance(edges, list) and edges and all(_number(value) for value in edges):
        found["uniformity"] = max(map(float, edges), key=abs)
    return found


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

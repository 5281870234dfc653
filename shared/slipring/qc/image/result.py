"""What a measurement says: a value with its unit, where it was taken, how sure it is, and against which limit it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from slipring.qc.image.slice import Disc, Slice


@dataclass(frozen=True, slots=True)
class Region:
    """Where something was measured: `disc` (middle, radius), `line` (two ends) or `box` (corners), in pixels."""

    kind: str
    points: tuple[tuple[float, float], ...]
    radius: float = 0.0
    label: str = ""

    def as_tree(self, image: Slice) -> dict[str, Any]:
        """In mm, as printed."""
        places = [[rounded(part, 3) for part in image.place_mm(x, y)] for x, y in self.points]
        tree: dict[str, Any] = {"shape": self.kind}
        if self.kind == "disc":
            tree |= {"centre_mm": places[0], "radius_mm": rounded(self.radius * image.spacing_mm, 3)}
        else:
            tree["points_mm"] = places
        return tree | ({"label": self.label} if self.label else {})


def disc_region(disc: Disc, label: str = "") -> Region:
    """A disc as a region."""
    return Region("disc", ((disc.x, disc.y),), disc.radius, label)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one image. `uncertainty` is standard (k = 1), in the unit of the value, from the noise of the image."""

    item: str
    value: float
    unit: str
    method: str
    regions: tuple[Region, ...] = ()
    uncertainty: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def as_tree(self, image: Slice) -> dict[str, Any]:
        """As printed: the value unrounded to four decimals, regions in mm."""
        tree: dict[str, Any] = {"item": self.item, "value": rounded(self.value), "unit": self.unit}
        if self.uncertainty is not None and math.isfinite(self.uncertainty):
            tree["uncertainty"] = rounded(self.uncertainty)
        tree |= {"method": self.method, "regions": [region.as_tree(image) for region in self.regions]}
        return tree | self.more


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about the image that its reader must know, in English and Chinese; `code` is for programs."""

    code: str
    text: str
    zh: str

    def said(self, language: str) -> str:
        """In one language: zh or en."""
        return self.zh if language == "zh" else self.text


def rounded(value: float, digits: int = 4) -> float:
    """A plain float for JSON."""
    return round(float(value), digits)


def first(items: Sequence[Measured], item: str) -> Measured | None:
    """The first value of an item, if the image gave one."""
    return next((one for one in items if one.item == item), None)

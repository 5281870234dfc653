"""Parts of a section that differ from what fills it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from slipring.qc.image.grids import grown, in_blocks, shrunk
from slipring.qc.image.slice import Mask, Pixels, robust_sd


@dataclass(frozen=True, slots=True)
class _Sieve:
    """How far noise is smoothed, on what grid, and what then stands out."""

    smooth_mm: float
    step_mm: float
    hu: float
    sigmas: float
    least_mm: float  # a smaller disc is not looked for


# Small discs first; wide ones that are fainter than the noise of the first sieve come out of the second.
_SIEVES = (_Sieve(2.0, 1.0, 3.0, 7.0, 4.0), _Sieve(5.0, 2.5, 2.0, 8.0, 12.0))
_FAINT_HU = 150.0


@dataclass(frozen=True, slots=True)
class Body:
    """A connected part that differs from what fills the phantom."""

    x: float
    y: float
    area: float  # pixels
    long: float  # full axes of the ellipse with the same second moments, pixels
    short: float
    turn: float  # direction of the long axis from the x axis, radians
    fill: float  # area over that of the ellipse: 1 for a disc, less for what is not convex
    contrast: float  # HU against the filling, signed: the extreme
    at_wall: bool

    @property
    def round(self) -> bool:
        """Is it a disc?"""
        return self.long < 1.3 * self.short + 1 and self.fill > 0.85

    @property
    def faint_line(self) -> bool:
        """Is it long and thin, and too faint for a ramp or a wire: a piece of a streak?"""
        return self.long > 2.5 * self.short and abs(self.contrast) <= _FAINT_HU


def find_bodies(
    differs: Pixels, within: Mask, level: float, corner: tuple[int, int], *, free: bool = False
) -> tuple[tuple[Body, ...], Mask]:
    """The connected parts above a level, of either sign, the largest first; and all pixels above it.

    `free`: without those that touch the wall.
    """
    found: list[Body] = []
    marked = np.abs(differs) > level
    rim = within & ~shrunk(within, 2) if marked.any() else within
    for sign in (1, -1):
        above = differs * sign > level
        if not above.any():
            continue
        labels, count = ndimage.label(above)
        for number, box in enumerate(ndimage.find_objects(labels, count), 1):
            part = labels[box] == number
            at_wall = bool((part & rim[box]).any())
            if (free and at_wall) or part.sum() < 3:
                continue
            found.append(_body(part, differs[box] * sign, box, sign, at_wall, corner))
    return tuple(sorted(found, key=lambda body: -body.area)), marked


def faint_discs(
    differs: Pixels, within: Mask, marked: Mask, mm: float, corner: tuple[int, int]
) -> tuple[tuple[Body, ...], Mask]:
    """Discs that only stand out when the noise is smoothed further: low contrast, or much noise."""
    free = within & ~grown(marked, 3) if marked.any() else within
    more = np.zeros_like(marked)
    if free.sum() < 1000:
        return (), more
    discs: list[Body] = []
    known, held = np.where(free, differs, np.float32(0)), free.astype(np.float32)
    for sieve in _SIEVES:
        for body in _sieved(known, held, sieve, mm, corner):
            if all(math.hypot(body.x - one.x, body.y - one.y) > (body.long + one.long) / 2 for one in discs):
                discs.append(body)
    y, x = np.ogrid[: within.shape[0], : within.shape[1]]
    for body in discs:
        more |= (x + corner[1] - body.x) ** 2 + (y + corner[0] - body.y) ** 2 < (body.long / 2 + 1) ** 2
    return tuple(discs), more


def _sieved(known: Pixels, held: Pixels, sieve: _Sieve, mm: float, corner: tuple[int, int]) -> list[Body]:
    """`known` is 0 where nothing is known, `held` 1 where something is."""
    step = max(1, round(sieve.step_mm / mm))
    sigma = sieve.smooth_mm / mm / step
    share = in_blocks(held, step) / step**2
    smooth = ndimage.gaussian_filter(in_blocks(known, step) / step**2, sigma, truncate=3)
    weight = ndimage.gaussian_filter(share, sigma, truncate=3)
    whole = share > 0.99
    # Only what is known counts, so that nothing is darker beside a body or the wall.
    calm = np.where(whole & (weight > 0.5), smooth / np.maximum(weight, 0.5), 0.0).astype(np.float32)
    values = calm[whole]
    if values.size < 100:
        return []
    found, _ = find_bodies(calm, whole, max(sieve.hu, sieve.sigmas * robust_sd(values)), (0, 0), free=True)
    sizes = [
        replace(
            one, x=corner[1] + (one.x + 0.5) * step - 0.5, y=corner[0] + (one.y + 0.5) * step - 0.5,
            area=one.area * step**2, long=one.long * step, short=one.short * step,
        )
        for one in found
    ]  # fmt: skip
    return [body for body in sizes if body.round and body.short * mm > sieve.least_mm]


def _body(
    part: Mask, height: Pixels, box: tuple[slice, ...], sign: int, at_wall: bool, corner: tuple[int, int]
) -> Body:
    """Size and shape at half of the body's own height, so that strong and weak ones come out equally large."""
    heights = np.sort(height[part])
    top = _ninetieth(heights) if len(heights) > 12 else float(heights[-1])
    half = part & (height > top / 2)
    half = half if half.any() else part
    y, x = (axis.astype(np.float64) for axis in np.nonzero(half))
    my, mx = y.mean(), x.mean()
    # Each pixel is itself a square of side 1: 1/12 of variance.
    syy, sxx, sxy = ((y - my) ** 2).mean() + 1 / 12, ((x - mx) ** 2).mean() + 1 / 12, ((y - my) * (x - mx)).mean()
    turn = 0.5 * math.atan2(2 * sxy, sxx - syy)
    middle, apart = (sxx + syy) / 2, math.hypot((sxx - syy) / 2, sxy)
    long, short = 4 * math.sqrt(middle + apart), 4 * math.sqrt(max(middle - apart, 1 / 12))
    fill = float(half.sum()) / (math.pi / 4 * long * short)
    return Body(
        float(mx + box[1].start + corner[1]),
        float(my + box[0].start + corner[0]),
        float(half.sum()),
        long,
        short,
        turn,
        fill,
        sign * float(heights[-1]),
        at_wall,
    )


def _ninetieth(ordered: Pixels) -> float:
    """The ninetieth percentile of values in order, between the two that are next to it."""
    below, share = divmod(0.9 * (len(ordered) - 1), 1)
    low, high = float(ordered[int(below)]), float(ordered[min(int(below) + 1, len(ordered) - 1)])
    return low + share * (high - low)

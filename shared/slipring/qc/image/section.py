"""What a slice through the phantom shows: its wall, what fills it, and the bodies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from slipring.qc.image.bodies import Body, faint_discs, find_bodies
from slipring.qc.image.ellipse import Ellipse
from slipring.qc.image.grids import between
from slipring.qc.image.outline import NoPhantom
from slipring.qc.image.slice import Disc, Floats, Mask, Pixels, Slice, robust_sd

_SMOOTH_MM = 0.7
_WALL_BLUR_MM = 3.0
_THICKEST_WALL_MM = 16.0
_INNERMOST = 0.5  # of the outline: no housing is thicker
_LEVEL_MM = 5.0  # of the profile, on both sides of a step
_LIFTED = 1.9
_STEP_HU = 8.0
_EDGE_BLUR_MM = 2.5
_POINT_MM = 4.5
_RAYS = 90
STANDS_OUT_HU = 15.0
_SIGMAS = 5.0
_MIDDLE = 0.4  # of the radius inside the wall


@dataclass(frozen=True)
class Section:
    """A slice with its phantom found."""

    image: Slice
    outline: Ellipse
    inner: float  # the radius inside the wall, as a share of the outline
    filling: Pixels  # HU of the filling at each row and column of the box
    box: tuple[slice, slice]
    scaled: Floats  # how far out each pixel of the box lies: 1 on the outline
    differs: Pixels  # smoothed difference from the filling in the box
    bodies: tuple[Body, ...]
    marked: Mask  # pixels of the box that belong to bodies

    @property
    def inner_radius(self) -> float:
        """Of the circle with the area inside the wall, pixels."""
        return self.outline.radius * self.inner

    @cached_property
    def level(self) -> float:
        """The median of the filling, HU."""
        return float(np.median(self.filling[self.scaled < self.inner]))

    @cached_property
    def points(self) -> tuple[Body, ...]:
        """Wires and beads: what is not filling but small and round."""
        return tuple(body for body in self.bodies if body.round and body.long * self.image.spacing_mm < _POINT_MM)

    @cached_property
    def without_points(self) -> Slice:
        """The image with wires and beads taken out."""
        valid = self.image.valid.copy()
        y, x = np.ogrid[: valid.shape[0], : valid.shape[1]]
        for body in self.points:
            valid &= (x - body.x) ** 2 + (y - body.y) ** 2 > (body.long + 2.5 / self.image.spacing_mm) ** 2
        return replace(self.image, valid=valid)

    @cached_property
    def noise(self) -> float:
        """The spread of the filling, HU: robust against what lies in it."""
        rows, columns = self.box
        # Every other row is enough, and half the work.
        quiet = ~self.marked[::2] & (self.differs[::2] != 0)
        return robust_sd((self.image.hu[rows, columns][::2] - self.filling[::2])[quiet])

    @cached_property
    def _marked_places(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Columns and rows of the image where bodies are."""
        y, x = np.divmod(np.flatnonzero(self.marked), self.marked.shape[1])
        return x + self.box[1].start, y + self.box[0].start

    def clear(self, disc: Disc) -> bool:
        """Is there nothing but filling in a disc (wires and beads aside)?"""
        x, y = self._marked_places
        near = (x - disc.x) ** 2 + (y - disc.y) ** 2 <= disc.radius**2
        x, y = x[near], y[near]
        alone = np.ones(len(x), bool)
        for body in self.points:
            alone &= np.hypot(x - body.x, y - body.y) > body.long + 1
        return int(alone.sum()) < 4


def read_section(image: Slice, outline: Ellipse) -> Section:
    """Tell filling from bodies. Raises NoPhantom where there is no filling."""
    radii, profile = _profile(image, outline)
    inner = _inner(radii, profile, outline.radius, image.spacing_mm)
    if float(np.median(profile[radii < 0.8 * inner * outline.radius])) < -700:
        raise NoPhantom(
            "empty-phantom", "the phantom is empty: there is air where water should be", "模体是空的：应有水处为空气"
        )
    reach = math.ceil(outline.a)
    rows = slice(max(0, math.floor(outline.y) - reach), min(image.shape[0], math.floor(outline.y) + reach + 2))
    columns = slice(max(0, math.floor(outline.x) - reach), min(image.shape[1], math.floor(outline.x) + reach + 2))
    y, x = np.ogrid[rows, columns]
    scaled = outline.scaled(x, y)
    within = scaled < inner - max(2.0, _WALL_BLUR_MM / image.spacing_mm) / outline.radius
    filling = _filling(image.hu[rows, columns], scaled, within, radii / outline.radius, profile, inner)
    smooth = ndimage.gaussian_filter(image.hu[rows, columns], _SMOOTH_MM / image.spacing_mm, truncate=3)
    smooth -= filling
    differs = np.where(within, smooth, np.float32(0))
    corner = (rows.start, columns.start)
    # A large phantom is noisier in the middle than on the whole: specks of that noise are no bodies.
    spreads = [robust_sd(differs[::2][part]) for part in (within[::2], (scaled < _MIDDLE * inner)[::2])]
    level = max(STANDS_OUT_HU, _SIGMAS * max(spreads))
    bodies, marked = find_bodies(differs, within, level, corner)
    faint, more = faint_discs(differs, within, np.abs(differs) > 2 * level, image.spacing_mm, corner)
    # A faint disc may have come out in pieces before.
    pieces = [
        body for body in bodies if any(math.hypot(body.x - one.x, body.y - one.y) < one.long / 2 for one in faint)
    ]
    bodies, marked = (*(body for body in bodies if body not in pieces), *faint), marked | more
    return Section(image, outline, inner, filling, (rows, columns), scaled, differs, bodies, marked)


def _profile(image: Slice, outline: Ellipse) -> tuple[Floats, Floats]:
    """The median CT number at each distance from the middle, half a pixel apart, along the shape of the outline."""
    angles = np.arange(_RAYS, dtype=np.float64) * (2 * math.pi / _RAYS)
    radii = np.arange(0.0, outline.radius, 0.5)
    stretch = outline.reaches(angles) / outline.radius
    rows = outline.y + np.sin(angles)[:, None] * radii * stretch[:, None]
    columns = outline.x + np.cos(angles)[:, None] * radii * stretch[:, None]
    # Sorted, as the median along the first axis is slow; _RAYS is even.
    along = np.sort(between(image.hu, rows, columns), axis=0)
    return radii, (along[_RAYS // 2 - 1] + along[_RAYS // 2]) / 2


def _inner(radii: Floats, profile: Floats, radius: float, mm: float) -> float:
    """Where the wall begins, as a share of the outline; 1 where the phantom has no wall of its own.

    A wall stands out from what is inside it. From its extreme the profile is followed inwards to half its height.
    A housing that is thicker than a wall is told by its step.
    """
    wall = _wall(radii, profile, radius, mm)
    return _housing(radii / radius, profile, 1 / (mm * radius), wall) or wall


def _housing(shares: Floats, profile: Floats, mm: float, wall: float) -> float | None:
    """Where a housing ends and the module in it begins: the CT number steps there, and is level on both sides.

    `mm` is a millimetre as a share of the outline. Cupping rises everywhere; a step stands alone.
    """
    step = float(shares[1])
    wide, gap = max(2, round(_LEVEL_MM * mm / step)), max(1, round(_WALL_BLUR_MM * mm / step))
    first, last = max(wide + gap, int(_INNERMOST / step)), int((wall - _WALL_BLUR_MM * mm) / step) - wide - gap
    if last - first < 2 * (wide + gap):
        return None
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    at = np.arange(first, last)
    outside = (sums[at + gap + wide] - sums[at + gap]) / wide
    steps = outside - (sums[at - gap] - sums[at - gap - wide]) / wide
    place = int(np.argmax(np.abs(steps)))
    height = float(abs(steps[place]))
    elsewhere = np.abs(steps[np.abs(at - at[place]) > wide + gap])
    if height < _STEP_HU or elsewhere.size < wide or height < 6 * float(np.median(elsewhere)):
        return None
    # The step is as high all over the gap: in it, what is nearer to the inner level is inside.
    start, stop = at[place] - gap, at[place] + gap
    within = (sums[start] - sums[start - wide]) / wide
    nearer = np.abs(profile[start:stop] - within) < np.abs(profile[start:stop] - outside[place])
    return float(shares[start + int(nearer.sum())])


def _wall(radii: Floats, profile: Floats, radius: float, mm: float) -> float:
    outer = np.flatnonzero(radii > max(0.5 * radius, min(0.8 * radius, radius - _THICKEST_WALL_MM / mm)))
    rim = profile[outer[0] :]
    for sign in (1, -1):
        # A darker wall cannot be told from the blurred edge nearer to it than this.
        wall = int(np.argmax(rim)) if sign > 0 else len(rim) - 1 - max(6, round(2 * _EDGE_BLUR_MM / mm))
        if wall < 3:
            continue
        inwards = rim[: wall + 1]
        base = float(np.median(inwards[: max(3, len(inwards) // 2)]))
        height = (float(rim[wall]) - base) * sign
        if height > 25 and rim[wall] > -400:
            # A kernel that enhances edges lifts the rim to more than twice the wall: then half of the wall counts.
            above = (inwards - base) * sign >= height / 4
            flat = (
                float(np.median((inwards - base)[np.flatnonzero(~above)[-1] + 1 :])) * sign
                if not above.all()
                else height
            )
            height = flat if height > _LIFTED * flat else height
            low = np.flatnonzero((inwards - base) * sign < height / 2)
            return float((radii[outer[0] + low[-1]] + 0.25) / radius) if low.size else 1.0
    return 1.0


def _filling(hu: Pixels, scaled: Floats, within: Mask, radii: Floats, profile: Floats, inner: float) -> Pixels:
    """Water with its cupping: an even polynomial of the radius; where that does not fit, the commonest CT number."""
    used = radii < 0.94 * inner
    r, p, weight = radii[used], profile[used], np.sqrt(radii[used])
    terms = np.stack([np.ones_like(r), r**2, r**4], axis=1)
    good = np.ones(len(r), bool)
    for _ in range(4):
        coefficients, *_ = np.linalg.lstsq(terms[good] * weight[good, None], p[good] * weight[good], rcond=None)
        away = np.abs(p - terms @ coefficients)
        good = away < max(2.0, 3 * float(np.median(away)))
        if good.sum() < 10:
            break
    if float(np.median(away)) < 3 and good.mean() > 0.6:
        level, square, fourth = (float(one) for one in coefficients)
        squared = np.square(scaled.astype(np.float32))
        fitted: Pixels = squared * np.float32(fourth)
        fitted += square
        fitted *= squared
        fitted += level
        return fitted
    values = hu[within & (hu > -300) & (hu < 600)]
    counts, edges = np.histogram(values, bins=np.arange(-300, 601, 4))
    most = float(edges[int(np.argmax(ndimage.uniform_filter1d(counts.astype(float), 5)))] + 2)
    return np.full(hu.shape, np.median(values[np.abs(values - most) < 15]), np.float32)

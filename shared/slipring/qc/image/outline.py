"""Find the phantom: the ellipse of its edge, also when it lies on a couch, leans, or stands beside the middle."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from slipring.qc.image.ellipse import Ellipse, fitted
from slipring.qc.image.grids import between
from slipring.qc.image.slice import Floats, Pixels, Slice

_RAYS = 360
_SOLID_HU = -300.0  # denser than couch foam; thin couch shells are opened away
_COARSE_MM = 2.0
_OPENED_MM = 8.0
_STEP = 0.25  # pixels along a ray
_CLOSE = 0.2  # of the radius
_BEYOND = (1.5, 2.5, 3.5, 4.5, 6.0, 7.5, 9.0)  # pixels from the edge, where the picture must go on


class NoPhantom(ValueError):
    """The image shows no phantom that can be measured; `code` says why, `zh` says it in Chinese."""

    def __init__(self, code: str, text: str, zh: str) -> None:
        super().__init__(text)
        self.code, self.zh = code, zh


def find_outline(image: Slice) -> Ellipse:
    """The outer edge of the phantom; raises NoPhantom."""
    x, y, radius = _rough(image)
    try:
        return _traced(image, (x, y, radius), outermost=True)
    except NoPhantom as refused:
        # A couch close under a large phantom is the outermost edge of many directions: the nearest one tells them apart.
        try:
            return _traced(image, (x, y, radius), outermost=False)
        except NoPhantom:
            raise refused from None


def _traced(image: Slice, circle: tuple[float, float, float], *, outermost: bool) -> Ellipse:
    edge = trace(image.hu, *circle, dark_outside=True, outermost=outermost)
    if edge is None:
        raise NoPhantom("no-outline", "no round edge is found: not a cylindrical phantom", "没有圆形边缘：非柱形模体")
    _check(image, edge)
    return edge


def _rough(image: Slice) -> tuple[float, float, float]:
    """Middle and radius of the largest circle that fits into what is solid: a couch under the phantom is thinner."""
    step = max(1, round(_COARSE_MM / image.spacing_mm))
    coarse = image.hu[::step, ::step]
    mm = step * image.spacing_mm
    # What is not joined to the outside, holes in the phantom too, is solid.
    parts, _ = ndimage.label(np.pad(coarse <= _SOLID_HU, 1, constant_values=True))
    depth = ndimage.distance_transform_edt(parts != parts[0, 0])[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    deepest = float(depth[row, column])
    if deepest * mm < _OPENED_MM:
        raise NoPhantom("empty", "nothing of the size of a phantom is in the image", "图像中没有模体大小的物体")
    # Several pixels may be deepest: their middle.
    rows, columns = np.nonzero(depth > deepest - 0.5)
    near = np.hypot(rows - row, columns - column) < deepest / 2
    return float(columns[near].mean()) * step, float(rows[near].mean()) * step, deepest * step


def trace(
    hu: Pixels,
    x: float,
    y: float,
    radius: float,
    *,
    dark_outside: bool,
    body: bool = False,
    reach: float = 0.3,
    outermost: bool = True,
) -> Ellipse | None:
    """Fit an ellipse to a round edge near a circle, from rays, without those that see no edge; None where there is none.

    `dark_outside`: the outside has lower CT numbers than the rim. Half between the two levels is the edge. A `body` is
    of one piece; else the rim may be a thin wall, and the `outermost` edge counts at the first look.
    """
    for turn in range(2):
        points = _edge_points(hu, (x, y, radius), dark_outside, reach, body, outermost and not body and turn == 0)
        ellipse = fitted(points) if points is not None else None
        if ellipse is None:
            return None
        x, y, radius = ellipse.x, ellipse.y, ellipse.radius
        reach = min(reach, max(0.08, 6 / radius, 1.6 * (ellipse.a / ellipse.b - 1)))
    return ellipse


def _edge_points(
    hu: Pixels, circle: tuple[float, float, float], dark: bool, reach: float, body: bool, outermost: bool
) -> Floats | None:
    """Where each ray crosses the half level outermost, or nearest to the circle; nan where it does not."""
    x, y, radius = circle
    # The first look of a large one only says where to look closer.
    rays, step = (_RAYS // 3, 1.0) if radius > 60 and reach > _CLOSE else (_RAYS, _STEP if radius < 60 else 0.5)
    angles = np.arange(rays) * (2 * math.pi / rays)
    span = max(reach * radius, 4.0)
    steps = np.arange(max(0.5, radius - span), radius + span, step)
    rows = y + np.sin(angles)[:, None] * steps
    columns = x + np.cos(angles)[:, None] * steps
    away = (rows < 0) | (rows > hu.shape[0] - 1) | (columns < 0) | (columns > hu.shape[1] - 1)
    profile = between(hu, rows, columns)
    profile = ndimage.uniform_filter1d(profile, 3, axis=1) * (1 if dark else -1)
    outside = float(np.median(profile[:, -max(2, len(steps) // 8) :]))
    rim = float(np.median(profile[:, : len(steps) // 4] if body else profile.max(axis=1)))
    if rim - outside < 20:
        return None
    level = (rim + outside) / 2
    above = (profile >= level) & ~away
    crossing = above[:, :-1] & ~above[:, 1:]
    last = crossing.shape[1] - 1 - np.argmax(crossing[:, ::-1], axis=1)
    nearest = np.where(crossing, np.abs(steps[:-1] - radius), np.inf).argmin(axis=1)
    chosen = last if outermost else nearest
    every = np.arange(rays)
    high, low = profile[every, chosen], profile[every, chosen + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = steps[chosen] + (steps[1] - steps[0]) * np.clip((high - level) / (high - low), 0, 1)
    seen = crossing.any(axis=1) & ~away[every, np.minimum(chosen + 1, away.shape[1] - 1)]
    at = np.where(seen, at, np.nan)
    return np.stack([x + np.cos(angles) * at, y + np.sin(angles) * at])


def _check(image: Slice, edge: Ellipse) -> None:
    """What is round enough, whole, and of a size that phantoms have."""
    angles = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    reach = edge.reaches(angles)
    shown = np.zeros(len(angles), bool)
    # Noisy air reaches the padding value here and there: cut is what has nothing valid in a row of pixels.
    for beyond in _BEYOND:
        columns, rows = edge.x + (reach + beyond) * np.cos(angles), edge.y + (reach + beyond) * np.sin(angles)
        there = (rows >= 0) & (columns >= 0) & (rows <= image.shape[0] - 1) & (columns <= image.shape[1] - 1)
        if beyond == _BEYOND[0]:
            inside = there.copy()
        there[there] = image.valid[rows[there].astype(int), columns[there].astype(int)]
        shown |= there
    shown &= inside
    if (~shown).mean() > 0.01:
        raise NoPhantom("clipped", "the phantom is cut by the edge of the field of view", "模体被视野边缘截断")
    if edge.residual * image.spacing_mm > 0.8 or edge.found < 0.6 or edge.b / edge.a < 0.85:
        raise NoPhantom(
            "no-phantom",
            "what is in the image is not round: a patient, or no cylindrical phantom",
            "图像中的物体不是圆形：是患者，或不是圆柱形模体",
        )
    across = 2 * edge.radius * image.spacing_mm
    if not 40 < across < 520:
        raise NoPhantom("size", f"a diameter of {across:.0f} mm is no phantom's", f"直径 {across:.0f} mm 不是模体")

"""The modulation transfer function from a wire or from the edge of something round."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import j0

from slipring.qc.image.inserts import Insert, noise_of
from slipring.qc.image.outline import Ellipse
from slipring.qc.image.result import Measured, Region, disc_region
from slipring.qc.image.section import Body, Section
from slipring.qc.image.slice import Disc, Floats, Mask, read_disc

_BIN = 0.1  # pixels
_PARTS = 12  # of the circle, for the jackknife
_WIDEST_MM = 6.0
_LEAST_CONTRAST_HU = 50.0
_ANNULUS = 8.0  # pixels around a wire that tell the water's level


@dataclass(frozen=True, slots=True)
class Transfer:
    """Modulation over frequency (1/mm) with the two frequencies everybody quotes, and how it was taken."""

    method: str
    frequency: Floats
    modulation: Floats
    mtf50: float
    mtf10: float | None
    sure50: float
    sure10: float
    region: Region

    def as_measured(self) -> list[Measured]:
        """MTF50 and MTF10 as values; the curve goes with the first."""
        keep = self.frequency <= max(self.mtf10 or 0.0, self.mtf50) * 1.3
        step = max(1, int(keep.sum()) // 24)
        curve = [
            [round(float(f), 4), round(float(m), 4)]
            for f, m in zip(self.frequency[keep][::step], self.modulation[keep][::step], strict=True)
        ]
        found = [
            Measured("mtf50", self.mtf50, "1/mm", self.method, (self.region,), self.sure50, {"curve": curve}),
        ]
        if self.mtf10 is not None:
            found.append(Measured("mtf10", self.mtf10, "1/mm", self.method, (self.region,), self.sure10))
        return found


def transfers(section: Section, inserts: Collection[Insert]) -> list[Transfer]:
    """All that the section gives, the best first: a wire, then the edge with the smallest uncertainty."""
    mm = section.image.spacing_mm
    wires = [wire for body in section.bodies if (wire := _of_wire(section, body)) is not None]
    edges = []
    parts = ndimage.label(section.marked)[0]
    for insert in inserts:
        radius = insert.edge.radius
        if radius * mm < 4 or abs(insert.body.contrast) < _LEAST_CONTRAST_HU:
            continue
        room = min(_WIDEST_MM / mm, 0.8 * radius, _gap(section, insert.edge, parts))
        edges.append(of_edge(section, insert.edge, room, room, "edge of an insert"))
    wall = section.outline.radius * (1 - section.inner)
    room = min(_WIDEST_MM / mm, 0.8 * wall if wall > 0.5 else _WIDEST_MM / mm)
    edges.append(of_edge(section, section.outline, room, min(2 * room, _WIDEST_MM / mm), "edge of the phantom"))
    good = [edge for edge in edges if edge is not None and edge.sure50 < 0.1 * edge.mtf50]
    # Wires, then inserts, where they are sure: an outline is off the axis, and a leaning phantom blurs it.
    order = ("wire or bead", "edge of an insert", "edge of the phantom")
    return sorted([*wires, *good], key=lambda one: (one.sure50 > 0.04 * one.mtf50, order.index(one.method), one.sure50))


def _gap(section: Section, edge: Ellipse, parts: npt.NDArray[np.intp]) -> float:
    """From an insert's edge to the nearest other body, pixels; a part of it, so that no blur of the other is met."""
    top, left = section.box[0].start, section.box[1].start
    own = parts[round(edge.y) - top, round(edge.x) - left]
    y, x = np.nonzero((parts > 0) & (parts != own))
    far = np.hypot(x + left - edge.x, y + top - edge.y) - edge.a
    return 0.7 * float(far.min()) if far.size else math.inf


def of_edge(section: Section, edge: Ellipse, inner: float, outer: float, method: str) -> Transfer | None:
    """From the edge spread function across a round edge, `inner` and `outer` pixels to both sides.

    Distances from the fitted edge put the pixels at positions much finer than their spacing (bins of 0.1 pixel). The
    derivative is the line spread; its cosine transform about its own middle, over its value at 0, is the MTF: unlike
    the magnitude it is not lifted by noise. Directions where inside or outside are not what they are elsewhere (the
    couch) are left out. The uncertainty is a jackknife over twelve parts of the circle.
    """
    if min(inner, outer) < 2.0:
        return None
    image, reach = section.image, math.ceil(edge.a + outer + 2)
    rows = slice(max(0, int(edge.y) - reach), min(image.shape[0], int(edge.y) + reach + 1))
    columns = slice(max(0, int(edge.x) - reach), min(image.shape[1], int(edge.x) + reach + 1))
    y, x = np.mgrid[rows, columns].astype(np.float64)
    rough = np.hypot(x - edge.x, y - edge.y)
    near = (rough > edge.b - inner - 1) & (rough < edge.a + outer + 1) & image.valid[rows, columns]
    x, y, values = x[near], y[near], image.hu[rows, columns][near].astype(np.float64)
    away = edge.distance(x, y)
    part = ((np.arctan2(y - edge.y, x - edge.x) / (2 * math.pi)) % 1.0 * _PARTS * 6).astype(int)
    use = _same(part, away, values, inner, outer) & (away > -inner) & (away < outer)
    bins = np.floor((away[use] + inner) / _BIN).astype(int)
    count = int((inner + outer) / _BIN) + 1
    cells = (part[use] // 6) * count + bins
    weight = np.bincount(cells, minlength=_PARTS * count).reshape(_PARTS, count).astype(np.float64)
    total = np.bincount(cells, values[use], _PARTS * count).reshape(_PARTS, count)
    centres = np.arange(count, dtype=np.float64) * _BIN + (_BIN / 2 - inner)
    frequency = np.arange(0, 0.75, 0.005)  # per pixel
    whole = _modulation(weight.sum(axis=0), total.sum(axis=0), centres, frequency)
    if whole is None:
        return None
    shown = np.flatnonzero(weight.sum(axis=1) > 0)
    left_out = [
        _modulation(weight.sum(axis=0) - weight[one], total.sum(axis=0) - total[one], centres, frequency)
        for one in shown
    ]
    return _transfer(method, frequency, whole, left_out, image.spacing_mm, _circle(edge))


def _circle(edge: Ellipse) -> Region:
    return disc_region(Disc(edge.x, edge.y, edge.radius), "MTF")


def _same(part: npt.NDArray[np.intp], away: Floats, values: Floats, inner: float, outer: float) -> Mask:
    """Pixels of the directions whose far inside and far outside are like those of most directions."""
    keep = np.ones(_PARTS * 6, bool)
    levels = []
    for side in (away < -0.6 * inner, away > 0.6 * outer):
        held = np.bincount(part[side], minlength=_PARTS * 6)
        mean = np.bincount(part[side], values[side], _PARTS * 6) / np.maximum(held, 1)
        levels.append((mean, held))
    step = abs(float(np.median(levels[0][0]) - np.median(levels[1][0])))
    for mean, held in levels:
        middle = float(np.median(mean))
        usual = 1.48 * float(np.median(np.abs(mean - middle)))
        keep &= (held == 0) | (np.abs(mean - middle) < max(0.04 * step, 4 * usual))
    kept: Mask = keep[part]
    return kept


def _modulation(weight: Floats, total: Floats, centres: Floats, frequency: Floats) -> Floats | None:
    filled = weight > 0
    if filled.mean() < 0.6:
        return None
    spread = np.interp(centres, centres[filled], total[filled] / weight[filled])
    line = np.diff(spread)
    at = (centres[:-1] + centres[1:]) / 2
    if not abs(line.sum()) > 0:
        return None
    line = line / line.sum()
    near = np.abs(at) < min(-at[0], at[-1])
    middle = float((line[near] * at[near]).sum() / line[near].sum()) if abs(line[near].sum()) > 0.3 else 0.0
    # The outer fifth on both sides fades out: noise far from the edge carries no signal.
    ends = np.minimum(at - at[0], at[-1] - at) / (0.2 * (at[-1] - at[0]))
    line = line * np.where(ends < 1, 0.5 - 0.5 * np.cos(math.pi * np.clip(ends, 0, 1)), 1.0)
    waves = np.cos(2 * math.pi * frequency[:, None] * (at - middle))
    spectrum = waves @ line
    blur = np.sinc(frequency * _BIN) ** 2  # of the bins and of the difference
    result: Floats = spectrum / spectrum[0] / blur
    return result


def _transfer(
    method: str, frequency: Floats, whole: Floats, left_out: list[Floats | None], mm: float, region: Region
) -> Transfer | None:
    at50 = crossing(frequency, whole, 0.5)
    if at50 is None or not 0.03 < at50 / mm < 5:
        return None
    at10 = crossing(frequency, whole, 0.1)
    sure = []
    for level in (0.5, 0.1):
        found = [one for curve in left_out if curve is not None and (one := crossing(frequency, curve, level))]
        n = len(found)
        sure.append(math.sqrt((n - 1) / n * float(np.sum((np.array(found) - np.mean(found)) ** 2))) if n > 2 else 1.0)
    return Transfer(
        method, frequency / mm, whole, at50 / mm, at10 / mm if at10 else None, sure[0] / mm, sure[1] / mm, region
    )


def crossing(frequency: Floats, modulation: Floats, level: float) -> float | None:
    """Where the curve first falls through a level, linearly between its points."""
    below = np.flatnonzero(modulation < level)
    if not below.size or below[0] == 0:
        return None
    after = int(below[0])
    high, low = modulation[after - 1], modulation[after]
    step = frequency[after] - frequency[after - 1]
    return float(frequency[after - 1] + step * (high - level) / (high - low))


def _of_wire(section: Section, body: Body) -> Transfer | None:
    """From a point: the Hankel transform of what the wire or bead adds to the water around it.

    MTF(f) = sum of p(r) J0(2 pi f r) over sum of p(r). A pin that is wide against the blur has a flat top and is none.
    """
    mm, noise = section.image.spacing_mm, noise_of(section)
    if body.at_wall or not body.round or body.long * mm > 4.5 or body.contrast < max(50.0, 15 * noise):
        return None
    around = math.ceil(7.0 / mm + _ANNULUS + 3)
    rows, columns = (slice(int(at) - around, int(at) + around + 1) for at in (body.y, body.x))
    if min(rows.start, columns.start) < 0 or section.image.valid[rows, columns].size != (2 * around + 1) ** 2:
        return None
    block = section.image.hu[rows, columns].astype(np.float64)
    y, x = np.mgrid[rows, columns].astype(np.float64)
    r = np.hypot(x - body.x, y - body.y)
    added = block - np.median(block[(r > 2 * body.long) & (r < 2 * body.long + _ANNULUS)])
    high = (r < 1.5 * body.long) & (added > added[r < 2].max() / 2)
    wide = min(max(3.0, 4 * math.sqrt(float(high.sum()) / math.pi)), 7.0 / mm)
    beside = (r > wide) & (r < wide + _ANNULUS)
    others = [math.hypot(body.x - one.x, body.y - one.y) - one.long / 2 for one in section.bodies if one is not body]
    if min(others, default=math.inf) < wide + 2:
        return None
    added = block - block[beside].mean()
    core = (r < wide) & (added > 0.2 * added[r < 2].max())
    if (added[core] > 0.75 * added[core].max()).sum() > 0.45 * core.sum() and core.sum() > 12:
        return None
    mx, my = (float((axis[core] * added[core]).sum() / added[core].sum()) for axis in (x, y))
    r = np.hypot(x - mx, y - my)
    use = r < wide
    frequency = np.arange(0, 0.75, 0.005)
    waves = j0(2 * math.pi * frequency[:, None] * r[use])
    total = float(added[use].sum())
    if total <= 0:
        return None
    whole = waves @ added[use] / total
    at50, at10 = crossing(frequency, whole, 0.5), crossing(frequency, whole, 0.1)
    # The sum over the wire carries the noise of its pixels and that of what was taken for the water around it.
    reading = read_disc(section.image, Disc(body.x + 2 * wide, body.y, wide))
    alike = max(1.0, reading.count * (reading.mean_uncertainty / max(reading.sd, 1e-9)) ** 2)
    lift = noise * math.sqrt(alike * (int(use.sum()) + int(use.sum()) ** 2 / int(beside.sum()))) / total
    sure = [_wire_sure(frequency, whole, waves, noise / total, lift, at) if at else 1.0 for at in (at50, at10)]
    if at50 is None or sure[0] > 0.1 * at50:
        return None
    region = disc_region(Disc(mx, my, wide), "wire")
    return Transfer(
        "wire or bead", frequency / mm, whole, at50 / mm, at10 / mm if at10 else None, sure[0] / mm, sure[1] / mm, region
    )  # fmt: skip


def _wire_sure(frequency: Floats, whole: Floats, waves: Floats, noise: float, lift: float, at: float) -> float:
    """Noise of the modulation, and of the sum that it is divided by, over the slope of the curve there."""
    place = min(int(np.searchsorted(frequency, at)), len(whole) - 1)
    slope = abs(float(np.gradient(whole, frequency)[place]))
    own = noise * math.sqrt(float((waves[place] ** 2).sum()))
    return math.hypot(own, lift * float(whole[place])) / max(slope, 1e-6)

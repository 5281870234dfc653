"""The modulation transfer function from the edge of something round."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.fft import rfft

from slipring.qc.image.curve import FREQUENCY, Transfer, crossing
from slipring.qc.image.ellipse import Ellipse
from slipring.qc.image.result import Region, disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, Floats, Mask

_BIN = 0.1  # pixels
_PERIOD = round(1 / (_BIN * FREQUENCY[1]))  # bins of the lowest frequency
_BLUR = np.sinc(FREQUENCY * _BIN) ** 2  # of the bins and of the difference
_PARTS = 12  # of the circle, for the jackknife
_LOPSIDED = 0.03  # of MTF50, between both sides together and the outer one alone


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
    y, x = np.ogrid[rows, columns]
    squared = ((x - edge.x) ** 2).astype(np.float32) + ((y - edge.y) ** 2).astype(np.float32)
    near = (squared > max(0.0, edge.b - inner - 1) ** 2) & (squared < (edge.a + outer + 1) ** 2)
    near &= image.valid[rows, columns]
    places = np.flatnonzero(near)
    values = image.hu[rows, columns].take(places).astype(np.float64)
    down, right = np.divmod(places, near.shape[1])
    y, x = down + float(rows.start), right + float(columns.start)
    away = edge.distance(x, y)
    part = ((np.arctan2(y - edge.y, x - edge.x) / (2 * math.pi)) % 1.0 * _PARTS * 6).astype(int)
    use = _same(part, away, values, inner, outer) & (away > -inner) & (away < outer)
    bins = np.floor((away[use] + inner) / _BIN).astype(int)
    count = int((inner + outer) / _BIN) + 1
    cells = (part[use] // 6) * count + bins
    weight = np.bincount(cells, minlength=_PARTS * count).reshape(_PARTS, count).astype(np.float64)
    total = np.bincount(cells, values[use], _PARTS * count).reshape(_PARTS, count)
    centres = np.arange(count, dtype=np.float64) * _BIN + (_BIN / 2 - inner)
    all_weight, all_total = weight.sum(axis=0), total.sum(axis=0)
    whole = _modulation(all_weight, all_total, centres)
    if whole is None:
        return None
    shown = np.flatnonzero(weight.sum(axis=1) > 0)
    alone = _modulation(all_weight, all_total, centres, outer_half=True)
    off = _apart(whole, alone)
    # A thin wall that nobody sees makes the two sides differ: then the outer one, which is air's, and less sure.
    lopsided = alone is not None and off > _LOPSIDED
    left_out = [
        _modulation(all_weight - weight[one], all_total - total[one], centres, outer_half=lopsided) for one in shown
    ]
    chosen = alone if alone is not None and lopsided else whole
    return _transfer(method, chosen, left_out, image.spacing_mm, _circle(edge), off / 2 if lopsided else 0.0)


def _apart(whole: Floats, alone: Floats | None) -> float:
    """How far two curves are apart where they fall to a half, as a share."""
    first, second = crossing(whole, 0.5), crossing(alone, 0.5) if alone is not None else None
    return abs(first - second) / first if first and second else 0.0


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


def _modulation(weight: Floats, total: Floats, centres: Floats, outer_half: bool = False) -> Floats | None:
    """From the sums of the bins; where the outer side is wider than the inner, or asked, the outer half alone, mirrored.

    The inner edge of a wall would be counted in; what lies outside a phantom is air.
    """
    filled = weight > 0
    if np.count_nonzero(filled) < 0.6 * len(filled):
        return None
    spread = np.interp(centres, centres[filled], total[filled] / weight[filled])
    line = spread[1:] - spread[:-1]
    at = (centres[:-1] + centres[1:]) / 2
    if not abs(line.sum()) > 0:
        return None
    line = line / line.sum()
    if outer_half or at[-1] > -1.02 * at[0]:
        at, line = _mirrored(at, line)
    near = np.abs(at) < min(-at[0], at[-1])
    middle = float((line[near] * at[near]).sum() / line[near].sum()) if abs(line[near].sum()) > 0.3 else 0.0
    # The outer fifth on both sides fades out: noise far from the edge carries no signal.
    ends = np.minimum(at - at[0], at[-1] - at) / (0.2 * (at[-1] - at[0]))
    line = line * np.where(ends < 1, 0.5 - 0.5 * np.cos(math.pi * np.clip(ends, 0, 1)), 1.0)
    # The cosine transform about the middle: filled up with zeros to a length that has our frequencies among its own.
    times = math.ceil(len(line) / _PERIOD)
    turned = rfft(line, times * _PERIOD)[::times][: len(FREQUENCY)]
    spectrum = (turned * np.exp(-2j * math.pi * FREQUENCY * (at[0] - middle))).real
    result: Floats = spectrum / spectrum[0] / _BLUR
    return result


def _mirrored(at: Floats, line: Floats) -> tuple[Floats, Floats]:
    """The half of a line spread beyond its peak, and the same again before it."""
    calm = ndimage.gaussian_filter1d(line, 3.0)
    # Smoothed by a third of its own width: the top of a wide line spread is flat, and noise would choose the place.
    calm = ndimage.gaussian_filter1d(line, max(3.0, 0.33 * float((calm > calm.max() / 2).sum())))
    inner = np.flatnonzero(np.abs(at) < min(2.0, -at[0]))
    top = int(inner[0] + np.argmax(calm[inner]))
    # The peak lies between bins: a parabola through three of the smoothed values.
    left, middle, right = calm[top - 1 : top + 2]
    bend = left - 2 * middle + right
    peak = at[top] + (0.5 * (left - right) / bend if bend < 0 else 0.0) * _BIN
    beyond = np.arange(_BIN / 2, at[-1] - peak, _BIN)
    half = np.interp(peak + beyond, at, line)
    return np.r_[-beyond[::-1], beyond], np.r_[half[::-1], half]


def _transfer(
    method: str, whole: Floats, left_out: list[Floats | None], mm: float, region: Region, share: float
) -> Transfer | None:
    """`share` of the values is added to the uncertainty of the jackknife."""
    at50 = crossing(whole, 0.5)
    if at50 is None or not 0.03 < at50 / mm < 5:
        return None
    at10 = crossing(whole, 0.1)
    sure = []
    for level, value in ((0.5, at50), (0.1, at10 or 0.0)):
        found = [one for curve in left_out if curve is not None and (one := crossing(curve, level))]
        n = len(found)
        spread = math.sqrt((n - 1) / n * float(np.sum((np.array(found) - np.mean(found)) ** 2))) if n > 2 else 1.0
        sure.append(math.hypot(spread, share * value))
    return Transfer(
        method, FREQUENCY / mm, whole, at50 / mm, at10 / mm if at10 else None, sure[0] / mm, sure[1] / mm, region
    )

"""Bar patterns of any phantom: groups of bars side by side, their line pairs per centimetre and the modulation that is left.

Nothing is taken from a list: how fine a group is, its own picture tells. What is not resolved is no group here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.fft import fft2

from slipring.qc.image.result import Measured, Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats, Mask

_GAP_MM = 2.4  # the widest gap between bars of one group: from 3 line pairs per cm on
_STRONG = 0.12  # of the strongest: what is fainter belongs to no bar, and blur does not join groups
_SIZES_MM = (3.0, 24.0)
_LEAST_HU = 50.0
_FEWEST = 4  # places of the size of groups
_NOT_LESS = 0.9
_FEWEST_BARS = 3
_LEAST_PIXELS = 60  # of a group: the profile across fewer shows bars in a bubble
_SEEN = 0.05  # modulation
_SIGMAS = 5.0
_PERIODS = 2.4  # that a group has at least
_SHARE = 0.5  # of the power of its band that is at one frequency and direction: of discs it is spread
_ALIKE = 4.0  # pixels of correlated noise that count as one
_FINER = 4  # of the transform, against the length of a group
_INTEGER = 0.3  # line pairs per cm: patterns are made in whole ones
_MOST_GROUPS = 40


@dataclass(frozen=True, slots=True)
class BarGroup:
    """A group that is resolved. Frequency in 1/mm; modulation of its sine, against bars and gaps that are level."""

    frequency: float
    modulation: float
    floor: float  # what the noise alone would show
    corners: tuple[tuple[float, float], ...]


def find_groups(section: Section) -> list[BarGroup]:
    """From coarse to fine; empty where there are not several."""
    mm = section.image.spacing_mm
    reach = max(1, round(_GAP_MM / 2 / mm))
    # By distances, not by repeated dilation: the same, whatever the pixel.
    heights = np.abs(section.differs)
    strong = section.marked & (heights > _STRONG * float(np.percentile(heights[section.marked], 98)))
    near = ndimage.distance_transform_edt(~strong) <= reach
    labels, count = ndimage.label(near)
    found = []
    boxes = ndimage.find_objects(labels, count)
    sizes = [max(part.stop - part.start for part in box) * mm - 2 * reach * mm for box in boxes]
    fitting = [n for n, size in enumerate(sizes) if _SIZES_MM[0] < size < _SIZES_MM[1]]
    if len(fitting) < _FEWEST or len(fitting) > _MOST_GROUPS:
        return []
    for number in fitting:
        own = ndimage.binary_erosion(np.pad(labels[boxes[number]] == number + 1, 1), iterations=reach)[1:-1, 1:-1]
        group = _group(section, own, boxes[number])
        if group is not None:
            found.append(group)
    return _falling(sorted(found, key=lambda one: one.frequency))


def _falling(groups: list[BarGroup]) -> list[BarGroup]:
    """Without what shows less than a finer group does: it is no group, or damaged."""
    kept: list[BarGroup] = []
    for group in reversed(groups):
        if all(group.modulation > _NOT_LESS * finer.modulation for finer in kept):
            kept.insert(0, group)
    return kept


def _group(section: Section, own: Mask, box: tuple[slice, ...]) -> BarGroup | None:
    mm, (top, left) = section.image.spacing_mm, (section.box[0].start, section.box[1].start)
    rows, columns = (slice(part.start + start, part.stop + start) for part, start in zip(box, (top, left), strict=True))
    count = int(own.sum())
    if count < _LEAST_PIXELS:
        return None
    hu = section.image.hu[rows, columns].astype(np.float64)
    level = float((hu - section.filling[box[0], box[1]])[own].mean())
    if abs(level) < _LEAST_HU:
        return None
    size, extent = _FINER * max(own.shape), math.sqrt(count) * mm
    # Faded out towards its edge, so that its shape does not pass for fine structure.
    depth = ndimage.distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
    rising: Floats = np.minimum(1.0, depth / (0.6 * float(depth.max())))
    weight = rising * rising * (3 - 2 * rising)
    waves = np.abs(fft2(weight * (hu - float((weight * hu).sum() / weight.sum())), (size, size)))
    fy, fx = np.fft.fftfreq(size)[:, None] / mm, np.fft.fftfreq(size)[None, :] / mm
    f: Floats = np.hypot(fy, fx)
    long = max(np.ptp(axis) + 1 for axis in np.nonzero(own)) * mm
    waves = np.where((f > _PERIODS / long) & (f < 0.5 / mm), waves, 0.0)
    if not waves.any():
        return None
    row, column = np.unravel_index(int(np.argmax(waves)), waves.shape)
    peak_y, peak_x = float(fy[row, 0]), float(fx[0, column])
    beside: Mask = np.minimum(np.hypot(fy - peak_y, fx - peak_x), np.hypot(fy + peak_y, fx + peak_x)) < 1.5 / extent
    if float((waves[beside] ** 2).sum()) < _SHARE * float((waves**2).sum()):
        return None
    frequency, amplitude = math.hypot(peak_y, peak_x), 2 * float(waves[row, column]) / float(weight.sum())
    if _tops(hu, rising, (peak_x / frequency, peak_y / frequency), mm, amplitude) < _FEWEST_BARS:
        return None
    # Bars and gaps are equally wide: their contrast is twice what the group adds to its surroundings.
    contrast = 2 * abs(float((weight * (hu - section.filling[box[0], box[1]])).sum() / weight.sum()))
    modulation = amplitude * math.pi / (2 * contrast)
    floor = (
        _SIGMAS
        * 2
        * section.noise
        * math.sqrt(_ALIKE * float((weight**2).sum()))
        / float(weight.sum())
        * math.pi
        / (2 * contrast)
    )
    if modulation < max(_SEEN, floor):
        return None
    x0, y0 = columns.start, rows.start
    x1, y1 = columns.stop - 1, rows.stop - 1
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return BarGroup(frequency, modulation, floor, tuple((float(x), float(y)) for x, y in corners))


def _tops(hu: Floats, weight: Floats, along: tuple[float, float], mm: float, amplitude: float) -> int:
    """How many bars the profile across them shows: a single block has one, whatever its spectrum."""
    from scipy.signal import find_peaks  # slow to load, and needed only where there may be bars

    y, x = np.mgrid[: hu.shape[0], : hu.shape[1]]
    place = (x * along[0] + y * along[1]) * 2  # bins of half a pixel
    bins = (place - place.min()).astype(int).ravel()
    held = np.bincount(bins, weight.ravel())
    there = held > 0.15 * float(held.max())
    profile = (np.bincount(bins, (weight * hu).ravel()) / np.maximum(held, 1e-9))[there]
    wide = max(1, round(0.3 / mm * 2))
    calm = np.convolve(np.abs(profile), np.ones(wide) / wide, mode="same")
    return len(find_peaks(calm, prominence=0.5 * amplitude)[0])


def measure_groups(section: Section) -> list[Measured]:
    """The finest group that is resolved, and where the modulation of the groups falls to a half and to a tenth."""
    groups = find_groups(section)
    if not groups:
        return []
    bars = [(_whole(one.frequency), one) for one in groups]
    regions = tuple(Region("box", one.corners, label=f"{10 * f:.3g} lp/cm") for f, one in bars)
    more = {
        "bars": [
            {"per_mm": round(f, 4), "modulation": round(one.modulation, 4), "floor": round(one.floor, 4)}
            for f, one in bars
        ]
    }
    how = "finest group of bars with a modulation above 5 % and the noise"
    found = [Measured("bar_patterns", bars[-1][0] * 10, "lp/cm", how, regions, None, more)]
    return [*found, *crossings([(f, one.modulation) for f, one in bars], regions, "between groups of bars, their sine")]


def crossings(bars: list[tuple[float, float]], regions: tuple[Region, ...], method: str) -> list[Measured]:
    """MTF50 and MTF10 between bars of known frequency and modulation, in order of frequency."""
    found = []
    for item, level in (("mtf50_bars", 0.5), ("mtf10_bars", 0.1)):
        for (near, high), (far, low) in pairwise(bars):
            if high >= level > low:
                at = near + (far - near) * (high - level) / (high - low)
                found.append(Measured(item, at, "1/mm", method, regions))
                break
    return found


def _whole(frequency: float) -> float:
    """As a pattern is made: in whole line pairs per centimetre, where the picture says so."""
    pairs = 10 * frequency
    return round(pairs) / 10 if abs(pairs - round(pairs)) < _INTEGER else frequency

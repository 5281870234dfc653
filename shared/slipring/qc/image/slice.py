"""One image of a test phantom in HU, and places in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, next_fast_len, rfft2

Pixels = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]  # indices of pixels


_AIR_HU = -900.0
_ENOUGH = 20_000
_AT_ONE_VALUE = 0.05  # of the pixels


@dataclass(frozen=True, slots=True)
class Slice:
    """An image in HU (rows x columns), without padding: where the scanner stored no value, `valid` is false.

    Inside the library a place is (x, y) in pixels, columns and rows, counted from the centre of the first pixel, after
    the image was resampled to square pixels. `spacing_mm` is the edge of a pixel.
    """

    hu: Pixels
    valid: Mask
    spacing_mm: float
    origin_mm: tuple[float, float] | None = None  # ImagePositionPatient of the first pixel, x and y, of an axial image
    thickness_mm: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    oblique: bool = False  # ImageOrientationPatient is not that of an axial image
    mirrored: bool = False  # axial, but rows or columns run the other way (prone, feet first)
    down: float = 1.0  # how far patient y goes with each mm of a column: less than 1 where the gantry is tilted

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.hu.shape[0], self.hu.shape[1]

    @property
    def cut_off(self) -> bool:
        """Were low CT numbers, air's among them, set to one value? Then no edge against air is what it was."""
        lowest = float(self.hu.min())
        return lowest > _AIR_HU and float((self.hu == lowest).mean()) > _AT_ONE_VALUE

    def place_mm(self, x: float, y: float) -> tuple[float, float]:
        """A place in mm: patient coordinates where the image has them, else from the middle of the image."""
        if self.origin_mm is not None:
            return self.origin_mm[0] + x * self.spacing_mm, self.origin_mm[1] + y * self.spacing_mm * self.down
        rows, columns = self.shape
        return (x - (columns - 1) / 2) * self.spacing_mm, (y - (rows - 1) / 2) * self.spacing_mm


@dataclass(frozen=True, slots=True)
class Disc:
    """A circular region of interest in pixels."""

    x: float
    y: float
    radius: float

    def shrunk(self, to: float) -> Disc:
        """The same middle, another radius."""
        return Disc(self.x, self.y, to)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a region holds: mean and standard deviation in HU, and how sure both are (correlated noise counted)."""

    mean: float
    sd: float
    count: int
    mean_uncertainty: float
    sd_uncertainty: float


def inside(image: Slice, disc: Disc) -> tuple[slice, slice, Mask]:
    """The rows and columns around a disc and which of their pixels have their middle in it."""
    rows, columns = image.shape
    top, bottom = max(0, math.floor(disc.y - disc.radius)), min(rows, math.ceil(disc.y + disc.radius) + 1)
    left, right = max(0, math.floor(disc.x - disc.radius)), min(columns, math.ceil(disc.x + disc.radius) + 1)
    y, x = np.ogrid[top : max(top, bottom), left : max(left, right)]
    within = (x - disc.x) ** 2 + (y - disc.y) ** 2 <= disc.radius**2
    return slice(top, max(top, bottom)), slice(left, max(left, right)), within


def robust_sd(values: npt.NDArray[Any]) -> float:
    """1.4826 x the median distance from the median, of some twenty thousand values out of all; 0 where there are none."""
    some = values.ravel()[:: max(1, values.size // _ENOUGH)]
    return 1.4826 * float(np.median(np.abs(some - np.median(some)))) if some.size else 0.0


def read_disc(image: Slice, disc: Disc) -> Reading:
    """Mean and SD (n - 1) of a disc; nan where it holds fewer than two pixels.

    Neighbouring pixels of a reconstructed image are not independent, so SD/sqrt(n) flatters the mean. The variance of
    the mean is SD² / n times the sum of the autocorrelation over the lags up to 4 pixels, and the relative variance of
    the SD is 1 / 2n times the sum of its squares (Gaussian noise).
    """
    rows, columns, within = inside(image, disc)
    block = image.hu[rows, columns].astype(np.float64)
    within = within & image.valid[rows, columns]
    count = int(within.sum())
    if count < 2:
        return Reading(math.nan, math.nan, count, math.nan, math.nan)
    values = block[within]
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    first, second = _correlated(block - mean, within, sd)
    return Reading(mean, sd, count, sd * math.sqrt(first / count), sd * math.sqrt(second / (2 * count)))


def _correlated(residue: Floats, within: Mask, sd: float, reach: int = 4) -> tuple[float, float]:
    """How many pixels count as one for the mean and for the SD: sums of the autocorrelation and of its square."""
    if sd <= 0 or min(residue.shape) <= 2 * reach:
        return 1.0, 1.0
    shape = tuple(next_fast_len(length + reach, real=True) for length in residue.shape)
    spectrum, weight = rfft2(np.where(within, residue, 0.0), shape), rfft2(within.astype(np.float64), shape)
    products, pairs = irfft2(np.abs(spectrum) ** 2, shape), irfft2(np.abs(weight) ** 2, shape)
    near = np.ix_(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    share = products[near] / np.maximum(pairs[near], 1.0) / sd**2
    return max(1.0, float(share.sum())), max(1.0, float((share**2).sum()))

"""DICOM files to slices in HU. What cannot be one is refused with its reason."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slipring.qc.image.slice import Floats, Mask, Slice

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LEVEL = (1.0, 0.0, 0.0)
_UPRIGHT = 0.8  # no gantry tilts by more than 37 degrees
_LEANS = 0.02  # direction cosines: about 1 degree
_SPLINE = 5  # the order; a straight line would take noise away and blur
_MOST_PIXELS = 4096 * 4096
_FEWEST = 32
_NO_CT_NUMBER = 1e6  # beyond every extended scale, as of 16 bits with a slope of 10
_NO_CT_NUMBERS = ("OD", "MGML", "Z_EFF", "ED", "EDW", "PCT")  # defined terms of Rescale Type (0028,1054)


class ImageRefused(ValueError):
    """The file gives no slice; `code` says why in one word, the text (and `zh`, in Chinese) in a sentence without patient data."""

    def __init__(self, code: str, text: str, zh: str) -> None:
        super().__init__(text)
        self.code, self.zh = code, zh


def read_slices(path: Path) -> Iterator[Slice]:
    """Each frame of a CT image file. Raises ImageRefused; compressed pixels are decoded (RLE, JPEG, JPEG-LS, JPEG 2000)."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = dcmread(path)
    except (InvalidDicomError, OSError) as problem:
        if isinstance(problem, InvalidDicomError):
            raise ImageRefused("not-dicom", "no DICOM file", "不是 DICOM 文件") from problem
        raise ImageRefused("unreadable", problem.strerror or "unreadable", "文件无法读取") from problem
    except Exception as problem:  # what bytes of strangers raise in pydicom is no closed list
        raise ImageRefused("not-dicom", "damaged DICOM file", "DICOM 文件已损坏") from problem
    yield from slices_of(data)


def slices_of(data: Dataset) -> Iterator[Slice]:
    """Each frame of a data set in HU."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check(data)
            frames = np.asarray(data.pixel_array)
            frames = frames if int(data.get("NumberOfFrames") or 1) > 1 or frames.ndim == 3 else frames[np.newaxis]
            found = [_slice(data, number, frame) for number, frame in enumerate(frames)]
    except ImageRefused:
        raise
    except Exception as problem:
        kind = type(problem).__name__
        raise ImageRefused("no-pixels", f"the pixels cannot be read ({kind})", f"像素无法读取（{kind}）") from problem
    yield from found


def _check(data: Dataset) -> None:
    if "PixelData" not in data:
        raise ImageRefused("no-pixels", "no pixel data", "没有像素数据")
    if str(data.get("Modality", "CT")).upper() != "CT":
        raise ImageRefused("not-ct", "not a CT image", "不是 CT 图像")
    if int(data.get("SamplesPerPixel", 1)) != 1 or data.get("PhotometricInterpretation") not in ("MONOCHROME2", None):
        raise ImageRefused("not-ct", "a picture in colours or inverted, not CT numbers", "是彩色或反相图像，不是 CT 值")
    if "LOCALIZER" in [str(word).upper() for word in data.get("ImageType") or []]:
        raise ImageRefused("localizer", "a localizer (scout), not a slice", "是定位像，不是断层图像")
    if int(data.get("HighBit", data.get("BitsStored", 0) - 1)) != int(data.get("BitsStored", 0)) - 1:
        raise ImageRefused(
            "no-pixels",
            "HighBit is not BitsStored - 1: the pixels cannot be read",
            "HighBit 不等于 BitsStored - 1：像素无法读取",
        )
    rows, columns = int(data.get("Rows") or 0), int(data.get("Columns") or 0)
    if min(rows, columns) < _FEWEST or rows * columns > _MOST_PIXELS:
        raise ImageRefused(
            "matrix", f"a matrix of {rows} x {columns} is not measured", f"矩阵 {rows} x {columns} 不予测量"
        )


def _slice(data: Dataset, number: int, stored: np.ndarray[Any, Any]) -> Slice:
    spacing = np.atleast_1d(_of(data, number, "PixelMeasuresSequence", "PixelSpacing") or []).astype(float).tolist()
    if len(spacing) != 2 or not all(0.02 < step < 10 for step in spacing):
        raise ImageRefused(
            "no-spacing", "no PixelSpacing: sizes in mm cannot be told", "没有 PixelSpacing：无法得出毫米尺寸"
        )
    slope = _of(data, number, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _of(data, number, "PixelValueTransformationSequence", "RescaleIntercept")
    if slope is None or intercept is None or float(slope) == 0:
        raise ImageRefused(
            "no-rescale",
            "no RescaleSlope and RescaleIntercept: these are not CT numbers",
            "没有 RescaleSlope 和 RescaleIntercept：不是 CT 值",
        )
    kind = str(_of(data, number, "PixelValueTransformationSequence", "RescaleType") or "HU").upper()
    if kind in _NO_CT_NUMBERS:
        raise ImageRefused(
            "no-rescale", "RescaleType says that these are no CT numbers", "RescaleType 表明这些不是 CT 值"
        )
    hu = stored.astype(np.float64)
    hu *= float(slope)
    hu += float(intercept)
    if not max(hu.max(), -hu.min()) < _NO_CT_NUMBER:
        raise ImageRefused(
            "no-rescale",
            "RescaleSlope and RescaleIntercept give no CT numbers",
            "按 RescaleSlope 和 RescaleIntercept 得不到 CT 值",
        )
    valid = _valid(data, stored, hu)
    hu[~valid] = -1000.0
    position = _of(data, number, "PlanePositionSequence", "ImagePositionPatient")
    turned = _of(data, number, "PlaneOrientationSequence", "ImageOrientationPatient")
    directions = [float(one) for one in turned] if turned is not None else [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    oblique, mirrored = not _axial(directions), not _supine(directions)
    # Not every scanner writes GantryDetectorTilt; the columns lean all the same.
    tilt = float(data.get("GantryDetectorTilt") or 0.0) or round(
        math.degrees(math.asin(min(1.0, max(-1.0, directions[5])))), 2
    )
    origin = (float(position[0]), float(position[1])) if position is not None and not oblique and not mirrored else None
    hu, valid, edge = _square(hu, valid, spacing)
    thickness = _of(data, number, "PixelMeasuresSequence", "SliceThickness")
    facts = {
        name: data.get(word)
        for name, word in (("kvp", "KVP"), ("kernel", "ConvolutionKernel"), ("exposure_mas", "Exposure"))
        if data.get(word) not in (None, "")
    }
    facts = {name: str(value) if name == "kernel" else float(value) for name, value in facts.items()}
    return Slice(
        hu.astype(np.float32),
        valid,
        edge,
        origin,
        float(thickness) if thickness else None,
        facts | {"tilt_deg": tilt, "matrix": [int(stored.shape[0]), int(stored.shape[1])]},
        oblique,
        mirrored,
        1.0 if oblique or mirrored else directions[4],
    )


def _of(data: Dataset, frame: int, group: str, word: str) -> Any:
    """An attribute of a frame: its own, the shared one of a multi-frame image, or the one of the image."""
    own, shared = data.get("PerFrameFunctionalGroupsSequence"), data.get("SharedFunctionalGroupsSequence")
    for item in (own[frame] if own and frame < len(own) else None, shared[0] if shared else None):
        if item is not None and item.get(group) and item[group][0].get(word) is not None:
            return item[group][0].get(word)
    value = data.get(word)
    return None if value in ("", None) else value


def _valid(data: Dataset, stored: np.ndarray[Any, Any], hu: Floats) -> Mask:
    """Not padding (PixelPaddingValue to PixelPaddingRangeLimit, in stored values), and not far below air."""
    valid: Mask = hu > -1900
    padding = data.get("PixelPaddingValue")
    if padding is not None:
        last = data.get("PixelPaddingRangeLimit", padding)
        low, high = sorted((_stored(padding, stored), _stored(last, stored)))
        # A padding value within the range of CT numbers of the picture's own air or water would empty the phantom.
        padded = (stored >= low) & (stored <= high)
        if not np.any((hu[padded] > -900) & (hu[padded] < 4000)):
            valid &= ~padded
    return valid


def _stored(value: Any, stored: np.ndarray[Any, Any]) -> int:
    """A padding value as the pixels hold it: writers mix signed and unsigned VR up."""
    number, bits = int(value), 8 * int(stored.dtype.itemsize)
    if stored.dtype.kind == "u" and number < 0:
        return number + (1 << bits)
    if stored.dtype.kind == "i" and number >= 1 << (bits - 1):
        return number - (1 << bits)
    return number


def _axial(turned: list[float]) -> bool:
    """Rows run along patient x and columns along y, either way; a tilted gantry leans the columns out of y into z."""
    row, column = np.abs(turned[:3]), np.abs(turned[3:6])
    level = bool(np.all(np.abs(row - _LEVEL) < _LEANS))
    return level and bool(column[0] < _LEANS and column[1] > _UPRIGHT)


def _supine(turned: list[float]) -> bool:
    """Do rows run to the patient's left and columns to the back, as of a patient on the back?"""
    return turned[0] > 0 and turned[4] > 0


def _square(hu: Floats, valid: Mask, spacing: list[float]) -> tuple[Floats, Mask, float]:
    """Square pixels: the coarser direction is resampled by a spline to the finer one."""
    from scipy.ndimage import affine_transform

    edge = min(spacing)
    if max(spacing) / edge < 1.0005:
        return hu, valid, sum(spacing) / 2
    shape = tuple(int((length - 1) * step / edge) + 1 for length, step in zip(hu.shape, spacing, strict=True))
    scale = [edge / step for step in spacing]
    finer = affine_transform(hu, scale, output_shape=shape, order=_SPLINE, mode="nearest")
    still = affine_transform(valid.astype(np.float64), scale, output_shape=shape, order=0, mode="nearest") > 0.5
    return finer, still, edge

"""What a file may look like: signed or not, compressed, several frames, pixels that are no squares; and what is refused."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from slipring.qc.image.analysis import analyse
from slipring.qc.image.reading import ImageRefused, read_slices, slices_of
from slipring.qc.image.result import first

from tests.support.phantoms import Phantom, changed_syntax

PHANTOM = Phantom(matrix=160, centre_mm=(4, -3), water_hu=2, cupping_hu=-2)


def result(image: Any) -> tuple[float, ...]:
    found = analyse(image)
    values = [first(found.measured, item) for item in ("water_ct_number", "noise_sd", "uniformity")]
    return (*found.phantom()["centre_mm"], *(one.value for one in values if one))


PLAIN = result(next(slices_of(PHANTOM.dataset())))


@pytest.mark.parametrize(
    "stored",
    [
        {"signed": False},
        {"intercept": 0},
        {"slope": 0.25, "intercept": -2048},
        {"padding": -2000},
        {"signed": False, "padding": 63536, "intercept": -1024},
    ],
    ids=["unsigned", "no intercept", "fine slope", "padding", "padding as unsigned"],
)
def test_how_values_are_stored_changes_no_result(stored: dict[str, Any]) -> None:
    assert result(next(slices_of(PHANTOM.dataset(**stored)))) == pytest.approx(PLAIN, abs=0.12)


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"],
    ids=["RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000"],
)
def test_lossless_compression_changes_nothing(syntax: str, tmp_path: Path) -> None:
    file = tmp_path / "compressed.dcm"
    changed_syntax(PHANTOM.dataset(signed=False), file, syntax)
    assert result(next(read_slices(file))) == pytest.approx(result(next(slices_of(PHANTOM.dataset(signed=False)))))


def test_each_frame_of_an_enhanced_image_has_its_own_place_and_slope() -> None:
    data = PHANTOM.dataset(frames=2)
    for word in ("PixelSpacing", "SliceThickness", "RescaleSlope", "RescaleIntercept", "ImagePositionPatient"):
        delattr(data, word)
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = ["1.5625", "1.5625"], "5"
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for number in range(2):
        frame, values, place = Dataset(), Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = "1", str(-1024 + 3 * number)
        place.ImagePositionPatient = ["-124.21875", "-124.21875", str(number)]
        frame.PixelValueTransformationSequence = Sequence([values])
        frame.PlanePositionSequence = Sequence([place])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    one, other = (result(image) for image in slices_of(data))
    assert one == pytest.approx(PLAIN, abs=0.01)
    assert other[2] == pytest.approx(one[2] + 3)


def test_pixels_that_are_no_squares_are_measured_in_mm() -> None:
    """Size, noise and MTF are those of the same slice on squares."""
    data = Phantom(matrix=600, field_mm=240, noise_hu=6).dataset()
    square = analyse(next(slices_of(data)))
    halved = np.frombuffer(data.PixelData, "<i2").reshape(600, 600)[::2]
    data.Rows, data.PixelSpacing, data.PixelData = 300, ["0.8", "0.4"], halved.tobytes()
    found = analyse(next(slices_of(data)))
    assert found.phantom()["diameter_mm"] == pytest.approx(200, abs=0.3) and found.phantom()["lean_deg"] < 4
    for item in ("noise_sd", "mtf50", "mtf10"):
        one, other = first(found.measured, item), first(square.measured, item)
        assert one and other and one.value == pytest.approx(other.value, rel=0.03), item


@pytest.mark.parametrize("told", [{}, {"GantryDetectorTilt": "-12"}], ids=["by its columns", "by name"])
def test_a_tilted_gantry_makes_a_longer_section_in_its_place(told: dict[str, str]) -> None:
    """The columns lean out of y, so that the middle is not as far down as it looks."""
    data = Phantom(centre_mm=(4, 20), tilt_deg=12).dataset()
    down = math.cos(math.radians(12))
    data.ImageOrientationPatient = [1, 0, 0, 0, down, -math.sin(math.radians(12))]
    for word, value in told.items():
        setattr(data, word, value)
    found = analyse(next(slices_of(data)))
    top = float(data.ImagePositionPatient[1])
    assert found.phantom()["centre_mm"] == pytest.approx([4, top + (20 - top) * down], abs=0.15)
    assert found.phantom()["lean_deg"] == pytest.approx(12, abs=1) and found.image.facts["tilt_deg"] == -12
    assert {flag.code for flag in found.flags} >= {"tilted"} and first(found.measured, "uniformity")


@pytest.mark.parametrize(
    ("word", "value", "code"),
    [
        ("PixelSpacing", None, "no-spacing"),
        ("PixelSpacing", ["0", "0"], "no-spacing"),
        ("PixelSpacing", ["0.5"], "no-spacing"),
        ("RescaleSlope", None, "no-rescale"),
        ("RescaleSlope", "0", "no-rescale"),
        ("RescaleSlope", "1e30", "no-rescale"),
        ("Modality", "MR", "not-ct"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"], "localizer"),
        ("HighBit", 14, "no-pixels"),
        ("Rows", 0, "matrix"),
        ("PixelData", None, "no-pixels"),
        ("PixelData", b"\0\0", "no-pixels"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_reason(word: str, value: Any, code: str) -> None:
    data = Phantom(matrix=64).dataset()
    if value is None:
        delattr(data, word)
    else:
        setattr(data, word, value)
    with pytest.raises(ImageRefused) as refused:
        list(slices_of(data))
    assert refused.value.code == code


@pytest.mark.parametrize("content", [b"", b"no picture", b"\0" * 128 + b"DICM" + b"\xff" * 40])
def test_a_file_that_is_no_dicom_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.dcm"
    file.write_bytes(content)
    with pytest.raises(ImageRefused):
        list(read_slices(file))

"""On real images of a GE quality assurance phantom: the facts of its README, and an independent calculation."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.command import qc_commands
from slipring.qc.image.reading import read_slices, slices_of
from slipring.qc.image.result import first
from typer.testing import CliRunner

DATA = Path(__file__).parents[3] / "shared" / "data"
PHANTOM = DATA / "ct-phantom"
pytestmark = pytest.mark.skipif(not PHANTOM.exists(), reason="the real phantom images are not beside this project")


def found(name: str) -> Analysed:
    return analyse(next(read_slices(PHANTOM / f"ge-ct750hd-qa-{name}.dcm")))


def value(analysed: Analysed, item: str) -> float:
    one = first(analysed.measured, item)
    assert one is not None, item
    return one.value


def _plain(name: str) -> tuple[np.ndarray, float]:  # type: ignore[type-arg]
    data = pydicom.dcmread(PHANTOM / f"ge-ct750hd-qa-{name}.dcm")
    return data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept), float(data.PixelSpacing[0])


@pytest.mark.clause("5.6.2.3")
def test_the_water_part_agrees_with_the_facts_and_with_a_calculation_of_its_own() -> None:
    """The middle from the mass of what is not air, discs by hand: CT number, SD, the four edges."""
    uniform = found("uniform")
    hu, step = _plain("uniform")
    rows, columns = np.nonzero(hu > -500)
    cy, cx = rows.mean(), columns.mean()
    assert uniform.phantom()["centre_px"] == pytest.approx([cx, cy], abs=0.15)
    across = 2 * np.sqrt(len(rows) / np.pi) * step
    assert uniform.phantom()["diameter_mm"] == pytest.approx(across, abs=0.3) == pytest.approx(216, abs=0.5)
    y, x = np.ogrid[: hu.shape[0], : hu.shape[1]]
    inner = 204.0  # inside the 6 mm wall

    def disc(dx: float, dy: float, diameter: float) -> np.ndarray:  # type: ignore[type-arg]
        return hu[np.hypot(x - cx - dx / step, y - cy - dy / step) <= diameter / 2 / step]

    middle, wide = disc(0, 0, 0.1 * inner), disc(0, 0, 0.4 * inner)
    assert value(uniform, "water_ct_number") == pytest.approx(middle.mean(), abs=0.1) == pytest.approx(1.3, abs=0.2)
    assert value(uniform, "noise_sd") == pytest.approx(wide.std(ddof=1), rel=0.01) == pytest.approx(5, abs=0.3)
    assert value(uniform, "noise_percent_10mm") == pytest.approx(wide.std(ddof=1) / 10 * np.sqrt(0.5), rel=0.01)
    away = inner / 2 - 10 - 0.05 * inner
    edges = [disc(away, 0, 20.4), disc(0, away, 20.4), disc(-away, 0, 20.4), disc(0, -away, 20.4)]
    uniformity = first(uniform.measured, "uniformity")
    assert uniformity is not None
    told = [edge.mean() - middle.mean() for edge in edges]
    assert uniformity.more["edge_minus_centre"] == pytest.approx(told, abs=0.15)
    assert uniform.flags == ()


@pytest.mark.clause("5.6.2.3")
def test_the_block_gives_contrast_bars_and_slice_thickness() -> None:
    """Two methods for the MTF that share nothing agree within 8 %; 0.8 mm bars are seen; the slice is the nominal 5 mm within 1."""
    block = found("resolution")
    assert block.block is not None and abs(block.block.roll_deg) < 1
    assert first(block.measured, "water_ct_number") is None  # the middle is acrylic
    assert value(block, "mtf50_bars") == pytest.approx(value(block, "mtf50"), rel=0.08)
    assert value(block, "mtf10_bars") == pytest.approx(value(block, "mtf10"), rel=0.08)
    bars = first(block.measured, "bar_patterns")
    assert (
        bars is not None
        and bars.value >= 6.25
        and [one["bar_mm"] for one in bars.more["bars"]] == [1.6, 1.3, 1.0, 0.8, 0.6, 0.5]
    )
    assert value(block, "slice_thickness") == pytest.approx(5, abs=1)
    (water,) = (one for one in block.measured if one.item == "insert")
    assert water.more["name"] == "water"
    # The whole hole, found by threshold in the quarter of the picture where it is.
    hu, step = _plain("resolution")
    quarter = hu[290:380, 285:380]
    assert water.value == pytest.approx(np.median(quarter[quarter < 60]), abs=2.5)
    assert float(np.sqrt(4 / np.pi * (quarter < 62).sum()) * step) == pytest.approx(38.2, abs=0.6)
    assert value(block, "insert") + bars.more["contrast_hu"] == pytest.approx(np.median(hu[150:200, 180:260]), abs=2)


def test_a_rolled_block_is_measured_alike_and_flagged() -> None:
    from scipy.ndimage import rotate

    image = next(read_slices(PHANTOM / "ge-ct750hd-qa-resolution.dcm"))
    hu = rotate(image.hu, -9, reshape=False, order=3, mode="nearest")
    from dataclasses import replace

    rolled = analyse(replace(image, hu=hu))
    assert rolled.block is not None and rolled.block.roll_deg == pytest.approx(9, abs=0.5)
    assert [flag.code for flag in rolled.flags] == ["rolled"]
    assert value(rolled, "slice_thickness") == pytest.approx(value(found("resolution"), "slice_thickness"), rel=0.08)


def test_images_of_patients_are_no_phantoms(tmp_path: Path) -> None:
    done = CliRunner().invoke(qc_commands, ["analyse", str(DATA / "ct-slices"), "--pictures", str(tmp_path / "p")])
    (answer,) = json.loads(done.stdout).values()
    assert done.exit_code == 1 and answer["is_phantom"] is False and not (tmp_path / "p").exists()
    assert len(answer["refused"]) >= 4


@pytest.mark.parametrize("turned", [np.fliplr, np.flipud, np.rot90])
def test_a_block_scanned_from_its_other_end_gives_the_same(turned: Callable[[np.ndarray], np.ndarray]) -> None:  # type: ignore[type-arg]
    """Mirrored, the bars lie in the places of a turned block, the finest where the coarsest should be."""
    data = pydicom.dcmread(PHANTOM / "ge-ct750hd-qa-resolution.dcm")
    data.PixelData = np.ascontiguousarray(turned(data.pixel_array)).tobytes()
    other, plain = analyse(next(slices_of(data))), found("resolution")
    assert other.block is not None and other.block.mirrored == (turned is not np.rot90)
    for item in ("bar_patterns", "slice_thickness", "mtf50", "mtf50_bars"):
        assert value(other, item) == pytest.approx(value(plain, item), rel=0.02), item
    assert "rolled" in {flag.code for flag in other.flags}

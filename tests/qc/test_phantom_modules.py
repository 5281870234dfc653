"""Modules of phantoms as they are sold: in a housing, with rods, beads, wires and bars; nothing is taken for what it is not."""

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.reading import ImageRefused, slices_of
from slipring.qc.image.result import Measured

from tests.support.phantom_modules import (
    ACR,
    CTP404,
    Drawing,
    acr_bars,
    acr_inserts,
    acr_low_contrast,
    acr_uniform,
    around,
    ctp404,
    housed,
)  # fmt: skip
from tests.support.phantoms import Phantom, as_dataset

MTF50 = math.sqrt(math.log(2) / 2) / math.pi / 0.7


def measured(drawing: Drawing, **said: Any) -> Analysed:
    return analyse(next(slices_of(drawing.dataset(**said))))


def values(analysed: Analysed) -> dict[str, Measured]:
    """The first of each item, inserts by their names."""
    found: dict[str, Measured] = {}
    for one in analysed.measured:
        found.setdefault(one.more["name"] if one.item == "insert" else one.item, one)
    return found


def test_a_module_in_a_housing_is_measured_in_itself() -> None:
    """Rods and spheres are no wires, edges of the housing no inserts; the MTF is within 4 %."""
    found = values(measured(ctp404(roll=2)))
    for name, hu in CTP404.items():
        assert found[name].value == pytest.approx(hu, abs=3), name
    assert found["slice_thickness"].value == pytest.approx(2.5, rel=0.05)
    assert found["mtf50"].method == "edge of an insert" and found["mtf50"].value == pytest.approx(MTF50, rel=0.04)
    assert abs(found["ct_number_linearity"].value) < 3 and not {"other", "water-2"} & set(found)


def test_a_faint_insert_in_much_noise_is_not_left_out() -> None:
    """The edge of 30 HU in a noise of 14 is rough, and round all the same."""
    for seed in (1, 2):
        found = values(measured(ctp404(roll=seed), noise_hu=14, blur_mm=0.5, seed=seed))
        assert found["acrylic"].value == pytest.approx(120, abs=6) and set(CTP404) <= set(found)


def test_uniformity_is_taken_inside_the_housing() -> None:
    analysed = measured(housed(8))
    uniformity = values(analysed)["uniformity"]
    assert uniformity.more["edge_minus_centre"] == pytest.approx([0] * 4, abs=2)
    assert analysed.phantom()["inner_diameter_mm"] == pytest.approx(150, abs=1) and analysed.flags == ()


def test_bar_patterns_are_neither_inserts_nor_artefacts() -> None:
    analysed = measured(acr_bars())
    assert not {"other", "insert"} & set(values(analysed)) and analysed.flags == ()


def test_a_thin_wall_that_nobody_sees_makes_the_mtf_less_sure() -> None:
    wall = Phantom(matrix=400, field_mm=240, wall_mm=2, wall_hu=-90, blur_mm=1.1, noise_hu=1.5)
    mtf50 = values(analyse(next(slices_of(wall.dataset()))))["mtf50"]
    assert mtf50.uncertainty and abs(mtf50.value - MTF50 * 0.7 / 1.1) < 3 * mtf50.uncertainty


def test_the_wall_and_the_mtf_hold_under_a_kernel_that_enhances_edges() -> None:
    """A bone kernel lifts the rim to more than twice the wall; what lies inside is water all the same."""
    drawn = Phantom(matrix=800, field_mm=240, wall_mm=5, blur_mm=0.36, noise_hu=8)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(800), np.fft.fftfreq(800))) / drawn.step
    enhanced = np.fft.ifft2(np.fft.fft2(drawn.hu()) * (1 + 5 * f**2)).real
    analysed = analyse(next(slices_of(as_dataset(enhanced, drawn.step))))
    assert analysed.phantom()["inner_diameter_mm"] == pytest.approx(190, abs=0.6)
    truth, along = np.exp(-2 * (math.pi * 0.36 * f[0, :400]) ** 2) * (1 + 5 * f[0, :400] ** 2), f[0, :400]
    for item, level in (("mtf50", 0.5), ("mtf10", 0.1)):
        assert values(analysed)[item].value == pytest.approx(along[np.flatnonzero(truth > level)[-1]], rel=0.04), item


@pytest.mark.parametrize("stored", [{"signed": False, "padding": 0}, {"padding": -1024, "intercept": 0}])
def test_noisy_air_that_reaches_the_padding_value_cuts_no_phantom(stored: dict[str, int]) -> None:
    noisy = Phantom(noise_hu=35, centre_mm=(7, 5))
    assert analyse(next(slices_of(noisy.dataset(**stored)))).phantom()["diameter_mm"] == pytest.approx(200, abs=0.5)


def test_a_picture_that_runs_the_other_way_is_measured_and_flagged() -> None:
    data = Phantom(centre_mm=(5, 3)).dataset()
    data.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    found = analyse(next(slices_of(data)))
    assert {flag.code for flag in found.flags} == {"turned"}
    assert found.phantom()["centre_mm"] == pytest.approx([5, 3], abs=0.1)


def test_air_that_is_cut_off_gives_no_edge() -> None:
    data = Phantom().dataset()
    pixels = data.pixel_array.copy()
    pixels[pixels < 1024 - 200] = 1024 - 200
    data.PixelData = pixels.tobytes()
    found = analyse(next(slices_of(data)))
    assert {flag.code for flag in found.flags} == {"cut-off"}
    assert "water_ct_number" in values(found) and not {"mtf50", "diameter_x"} & set(values(found))
    assert "diameter_mm" not in found.phantom()


def test_pixels_that_are_electron_densities_are_refused() -> None:
    data = Phantom(matrix=64).dataset()
    data.RescaleType = "ED"
    with pytest.raises(ImageRefused, match="RescaleType"):
        list(slices_of(data))


@pytest.mark.parametrize(("apart", "roll"), [(50.0, 3.0), (50.6, -5.0)])
def test_the_distance_of_rods_is_told_within_a_twentieth_of_a_mm(apart: float, roll: float) -> None:
    analysed = measured(ctp404(pins_mm=apart, roll=roll, centre=(3, -2)))
    found = values(analysed)["pin_distance"]
    assert found.value == pytest.approx(apart, abs=0.05) and found.uncertainty and found.uncertainty < 0.03
    assert found.more["each_mm"] == pytest.approx([apart] * 4, abs=0.15)
    assert analysed.phantom()["described_as"] == "catphan"


def test_beads_and_inserts_of_an_accreditation_phantom_are_known() -> None:
    beads = measured(acr_uniform(apart_mm=101.2, centre=(4, -3)))
    assert values(beads)["pin_distance"].value == pytest.approx(101.2, abs=0.15) and beads.named == "acr-464"
    inserts = measured(acr_inserts(roll=4))
    found = values(inserts)
    assert inserts.named == "acr-464" and {name: found[name].value for name in ACR} == pytest.approx(ACR, abs=2)
    assert abs(found["ct_number_linearity"].value) < 3


def test_rods_that_stand_close_in_a_ring_are_inserts_and_no_bars() -> None:
    """Electron density phantoms: eight rods of 28 mm, 46 mm apart, neighbours nearly alike."""
    rods = (-700, -500, -90, -45, 55, 80, 460, 470)
    drawing = Drawing(matrix=256).disc(0, 0, 200, 0)
    for (x, y), hu in zip(around(8, 60), rods, strict=True):
        drawing.disc(x, y, 28, hu)
    found = measured(drawing).measured
    assert [one.value for one in found if one.item == "insert"] == pytest.approx(sorted(rods), abs=2)


@pytest.mark.parametrize("noise", [3.0, 6.0])
def test_a_rod_as_faint_as_the_noise_is_found_with_its_contrast(noise: float) -> None:
    found = values(measured(acr_low_contrast(roll=10), noise_hu=noise))["low_contrast_target"]
    assert found.value == pytest.approx(6, abs=1) and found.more["diameter_mm"] == pytest.approx(25, abs=3.5)
    assert found.more["contrast_to_noise"] == pytest.approx(6 / noise, rel=0.15)


@pytest.mark.parametrize(("blur", "finest"), [(0.35, 10), (0.45, 8)])
def test_bars_of_any_phantom_are_told_by_themselves(blur: float, finest: int) -> None:
    """The finest group above 5 %, and the modulation within 12 %: the gaps are taken to be what surrounds the group."""
    found = values(measured(acr_bars(matrix=512, field_mm=220, roll=3), blur_mm=blur))["bar_patterns"]
    assert found.value == finest
    for bars in found.more["bars"]:
        f = bars["per_mm"]
        modulation = math.exp(-2 * (math.pi * blur * f) ** 2) * np.sinc(f * 220 / 512)  # of the blur and of the pixel
        assert bars["modulation"] == pytest.approx(modulation, rel=0.12, abs=0.01), bars


def test_no_bars_are_seen_among_rods_inserts_and_bubbles() -> None:
    assert "bar_patterns" not in values(measured(ctp404()))
    for seed in (0, 2):
        draw, bubbly = random.Random(seed), Drawing(matrix=460).disc(0, 0, 200, 0)
        for x, y in around(9, 30, draw.uniform(0, 40)):
            bubbly.disc(x + draw.uniform(-3, 3), y + draw.uniform(-3, 3), draw.choice((1.0, 1.2, 1.4, 1.6)), -1000)
        assert "bar_patterns" not in values(measured(bubbly, blur_mm=0.5, seed=seed))


def test_noise_that_is_strongest_in_the_middle_leaves_no_specks() -> None:
    """As quanta make it in a large phantom: its noise is told, and nothing else."""
    still = Phantom(matrix=512, field_mm=360, diameter_mm=310, wall_mm=5, noise_hu=0)
    axis = np.linspace(-180, 180, 512) / 150
    for seed in (1, 2):
        strong = 16 - 10 * np.minimum(1, axis[:, None] ** 2 + axis**2)
        noise = replace(still, noise_hu=1, seed=seed).noise() * strong
        found = values(analyse(next(slices_of(as_dataset(still.hu() + noise, still.step)))))
        assert found["noise_sd"].value == pytest.approx(float(noise[strong > 15].std()), rel=0.06)
        assert not {"insert", "low_contrast_target", "bar_patterns"} & set(found)


def test_an_open_hole_in_plastic_is_no_bubble() -> None:
    dose = Drawing(matrix=256).disc(0, 0, 160, 120).disc(0, 0, 13, -1000)
    assert measured(dose).flags == ()


@pytest.mark.parametrize(("thickness", "blur"), [(0.625, 0.5), (1.25, 0.8), (5.0, 0.5)])
def test_ramps_of_thin_slices_are_told_from_their_places_and_without_the_blur(thickness: float, blur: float) -> None:
    """A ramp of 1.5 mm under a blur as wide: within 6 %."""
    found = values(measured(ctp404(thickness, matrix=480, roll=5), blur_mm=blur))
    assert found["slice_thickness"].value == pytest.approx(thickness, rel=0.06)
    assert found["mtf50"].value == pytest.approx(MTF50 * 0.7 / blur, rel=0.06)


@pytest.mark.parametrize(
    ("thickness", "profile", "off"), [(7.0, "bell", 0.04), (5.0, "bell", 0.04), (3.0, "triangle", 0.06)]
)
def test_ramps_through_slices_without_edges_are_told_too(thickness: float, profile: str, off: float) -> None:
    """Helical slices: the tails of the ramp are not what surrounds it, and the blur takes from its peak."""
    drawing, long = housed(70, matrix=480), thickness / math.tan(math.radians(23))
    for along, across in ((drawing.x, drawing.y), (drawing.y, drawing.x)):
        height = np.clip(1 - np.abs(along) / long, 0, 1)
        if profile == "bell":
            height = np.exp(-4 * math.log(2) * (along / long) ** 2)
        drawing.hu += (600 * height * (np.abs(np.abs(across) - 38) < 0.4)).astype(np.float32)
    assert values(measured(drawing, blur_mm=0.5))["slice_thickness"].value == pytest.approx(thickness, rel=off)

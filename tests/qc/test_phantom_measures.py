"""On phantoms of known truth every measure is within its stated tolerance; the noise is correlated, not white."""

import math
from typing import Any

import numpy as np
import pytest
from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.outline import NoPhantom
from slipring.qc.image.reading import slices_of
from slipring.qc.image.result import Measured, first
from slipring.qc.image.spectrum import noise_power

from tests.support.phantoms import Phantom, as_dataset

# Of a Gaussian: exp(-2 pi² s² f²) falls to 1/2 and to 1/10 at these multiples of 1/s.
MTF50, MTF10 = math.sqrt(math.log(2) / 2) / math.pi, math.sqrt(math.log(10) / 2) / math.pi
UNSIGNED = {"signed": False, "slope": 0.5, "padding": 0}
INSERTS = {
    "air": -1000, "pmp": -200, "ldpe": -100, "polystyrene": -35, "acrylic": 120, "delrin": 340, "teflon": 990,
}  # fmt: skip


def measured(phantom: Phantom, **stored: Any) -> Analysed:
    return analyse(next(slices_of(phantom.dataset(**stored))))


def value(analysed: Analysed, item: str) -> float:
    one = first(analysed.measured, item)
    assert one is not None, item
    return one.value


def codes(analysed: Analysed) -> set[str]:
    return {flag.code for flag in analysed.flags}


@pytest.mark.parametrize(
    ("phantom", "stored"),
    [
        (Phantom(), {}),
        (Phantom(diameter_mm=160, centre_mm=(12, -7), couch=True, noise_hu=8, water_hu=3, cupping_hu=-4), {"padding": -2000}),
        (Phantom(diameter_mm=220, field_mm=300, noise_hu=2, water_hu=-2.4, couch=True, seed=2), UNSIGNED),
        (Phantom(wall_mm=0, diameter_mm=180, noise_hu=6, seed=3), {"intercept": -8192, "slope": 2}),
        (Phantom(diameter_mm=320, field_mm=400, noise_hu=15, cupping_hu=8, seed=4), {"padding": -3000}),
        (Phantom(diameter_mm=100, field_mm=150, matrix=200, noise_hu=3, thickness_mm=1.25, seed=5), {}),
        (Phantom(tilt_deg=8, centre_mm=(-9, 4), water_hu=1, seed=6), {}),
    ],
    ids=["plain", "couch, off-centre, padding", "unsigned, half steps", "no wall", "body", "small", "leaning"],
)  # fmt: skip
def test_water_is_measured_whatever_phantom_and_storage(phantom: Phantom, stored: dict[str, Any]) -> None:
    """Tolerances: place 0.1 mm, diameter 0.2 %, CT number and uniformity 3 standard errors, noise 4 %, lean 0.5 degrees."""
    found = measured(phantom, **stored)
    seen = found.phantom()
    assert seen["centre_mm"] == pytest.approx(phantom.centre_mm, abs=0.1)
    lean = math.cos(math.radians(phantom.tilt_deg))
    assert seen["diameter_mm"] == pytest.approx(phantom.diameter_mm / math.sqrt(lean), rel=0.002)
    assert seen["inner_diameter_mm"] == pytest.approx(
        (phantom.diameter_mm - 2 * phantom.wall_mm) / math.sqrt(lean), rel=0.01
    )
    if phantom.tilt_deg:
        assert seen["lean_deg"] == pytest.approx(phantom.tilt_deg, abs=0.5) and "tilted" in codes(found)
    water = first(found.measured, "water_ct_number")
    assert water is not None and water.uncertainty is not None
    assert water.value == pytest.approx(phantom.water_hu, abs=3 * water.uncertainty + 0.2)
    assert value(found, "noise_sd") == pytest.approx(phantom.noise_hu, rel=0.04)
    assert value(found, "noise_percent_10mm") == pytest.approx(
        value(found, "noise_sd") / 10 * math.sqrt(phantom.thickness_mm / 10)
    )
    uniformity = first(found.measured, "uniformity")
    assert uniformity is not None and uniformity.uncertainty is not None
    # The discs lie 10 mm inside the water, their middle one disc's radius further in.
    inner = phantom.diameter_mm / 2 - phantom.wall_mm
    expected = phantom.cupping_hu * ((inner * 0.9 - 10) / inner) ** 2
    assert uniformity.more["edge_minus_centre"] == pytest.approx([expected] * 4, abs=4 * uniformity.uncertainty + 0.3)


def test_the_uncertainty_of_a_mean_counts_correlated_noise() -> None:
    """Over 24 images the means spread as much as each says it is unsure: SD/sqrt(n) alone would say less than half."""
    found = [first(measured(Phantom(seed=seed, matrix=160)).measured, "water_ct_number") for seed in range(24)]
    means = [one.value for one in found if one]
    told = float(np.mean([one.uncertainty for one in found if one and one.uncertainty]))
    assert len(means) == 24 and 0.6 < np.std(means) / told < 1.6


@pytest.mark.parametrize("blur", [0.7, 1.0])
def test_the_mtf_of_a_wall_a_wire_and_an_insert_is_that_of_the_blur(blur: float) -> None:
    """Tolerance 3 % of MTF50 and of MTF10, each from its own object."""
    phantom = Phantom(
        matrix=384, blur_mm=blur, noise_hu=2, diameter_mm=180, field_mm=200,
        wires=[(-35, 8, 3000)], discs=[(35, 0, 20, 300)],
    )  # fmt: skip
    found = measured(phantom)
    by_method: dict[tuple[str, str], Measured] = {}
    for one in found.measured:
        if one.item.startswith("mtf"):
            by_method.setdefault((one.item, one.method), one)
    for method in ("wire or bead", "edge of an insert", "edge of the phantom"):
        assert by_method["mtf50", method].value == pytest.approx(MTF50 / blur, rel=0.03), method
        assert by_method["mtf10", method].value == pytest.approx(MTF10 / blur, rel=0.03), method
    assert value(found, "high_contrast") == pytest.approx(10 * MTF10 / blur, rel=0.03)


def test_the_mtf_holds_where_pixels_are_so_fine_that_the_edge_is_long() -> None:
    found = measured(Phantom(matrix=1400, field_mm=44, diameter_mm=41, wall_mm=0, blur_mm=0.3, noise_hu=2))
    assert value(found, "mtf50") == pytest.approx(MTF50 / 0.3, rel=0.03)
    assert value(found, "mtf10") == pytest.approx(MTF10 / 0.3, rel=0.03)


def test_a_couch_at_the_wall_does_not_change_the_mtf() -> None:
    found = measured(Phantom(couch=True, matrix=384))
    assert value(found, "mtf50") == pytest.approx(MTF50 / 0.8, rel=0.02)


@pytest.mark.parametrize(("matrix", "shell_hu", "foam_hu"), [(256, 80, -870), (400, 300, -1000)])
def test_a_dense_couch_close_under_a_large_phantom_is_left_out(matrix: int, shell_hu: int, foam_hu: int) -> None:
    phantom = Phantom(matrix=matrix, diameter_mm=330, wall_mm=5, field_mm=460, centre_mm=(12, -20), noise_hu=8)
    couch, axis = phantom.hu(), (np.arange(matrix) - (matrix - 1) / 2) * phantom.step
    couch[(axis > 148) & (axis < 173)] = np.maximum(couch[(axis > 148) & (axis < 173)], foam_hu)
    for top in (148, 171):
        couch[(axis > top) & (axis < top + 2.5)] = shell_hu
    found = analyse(next(slices_of(as_dataset(couch, phantom.step)))).phantom()
    assert found["diameter_mm"] == pytest.approx(330, abs=0.5)
    assert found["from_image_middle_mm"] == pytest.approx([12, -20], abs=0.15)


@pytest.mark.parametrize("thickness", [2.5, 5.0, 10.0])
def test_ramps_tell_the_slice_thickness(thickness: float) -> None:
    """Tolerance 3 %; the noise, taken where the ramps are not, stays what it is."""
    ramps = [(0.0, -45.0, 0.0, 300.0), (0.0, 45.0, 0.0, 300.0), (45.0, 0.0, 90.0, 300.0), (-45.0, 0.0, 90.0, 300.0)]
    found = measured(Phantom(ramps=ramps, thickness_mm=thickness, matrix=320))
    assert value(found, "slice_thickness") == pytest.approx(thickness, rel=0.03)
    assert value(found, "noise_sd") == pytest.approx(4, rel=0.04) and codes(found) == set()


def test_ramps_as_short_as_a_point_are_not_taken_for_wires() -> None:
    ramps = [(0.0, -40.0, 0.0, 300.0), (0.0, 40.0, 0.0, 300.0), (40.0, 0.0, 90.0, 300.0), (-40.0, 0.0, 90.0, 300.0)]
    found = measured(Phantom(ramps=ramps, thickness_mm=1.25, matrix=512))
    assert value(found, "mtf50") == pytest.approx(MTF50 / 0.8, rel=0.02)


def test_inserts_are_named_and_their_ct_numbers_found() -> None:
    """Tolerance 3 HU, 1 % of the strong ones; the worst deviation is the linearity."""
    places = [(58 * math.cos(n * math.pi / 4), 58 * math.sin(n * math.pi / 4)) for n in range(7)]
    shifted = dict(INSERTS, acrylic=135)
    discs = [(x, y, 12.0, float(hu)) for (x, y), hu in zip(places, shifted.values(), strict=True)]
    found = measured(Phantom(discs=discs, matrix=320, water_hu=0))
    inserts = {one.more["name"]: one.value for one in found.measured if one.item == "insert"}
    assert set(inserts) == set(INSERTS)
    for name, hu in shifted.items():
        assert inserts[name] == pytest.approx(hu, abs=max(3, 0.01 * abs(hu))), name
    linearity = first(found.measured, "ct_number_linearity")
    assert (
        linearity is not None and linearity.value == pytest.approx(15, abs=3) and linearity.more["insert"] == "acrylic"
    )


def test_low_contrast_by_the_spectrum_agrees_with_discs_laid_out_in_the_noise() -> None:
    """The SD of disc means from the noise power spectrum, and from 400 discs: within 12 %."""
    noise = Phantom(matrix=400, field_mm=200, noise_hu=6).noise()
    y, x = np.mgrid[-9:10, -9:10]
    for diameter in (8.0, 14.0):
        disc = np.hypot(x, y) <= diameter / 2
        places = [(row, column) for row in range(10, 390, 19) for column in range(10, 390, 19)]
        means = [noise[row - 9 : row + 10, column - 9 : column + 10][disc].mean() for row, column in places]
        assert noise_power(noise - noise.mean()).sd_of_disc_means(diameter) == pytest.approx(
            float(np.std(means)), rel=0.12
        )
    quiet, loud = (first(measured(Phantom(noise_hu=hu)).measured, "low_contrast") for hu in (2.0, 6.0))
    assert quiet and loud and quiet.value < loud.value


def test_faint_discs_are_found_with_their_contrast() -> None:
    targets = [(50.0, 0.0, 15.0, 10.0), (0.0, 50.0, 9.0, 10.0), (-50.0, 0.0, 15.0, -6.0)]
    found = [
        one
        for one in measured(Phantom(discs=targets, matrix=400, noise_hu=3)).measured
        if one.item == "low_contrast_target"
    ]
    assert sorted(one.value for one in found) == pytest.approx([-6, 10, 10], abs=1.5)
    assert max(one.more["diameter_mm"] for one in found) == pytest.approx(15, abs=1.5)


@pytest.mark.parametrize(
    ("phantom", "code"),
    [
        (Phantom(ring_hu=6), "ring"),
        (Phantom(ring_hu=25), "ring"),
        (Phantom(ring_hu=-8, centre_mm=(10, 5)), "ring"),
        (Phantom(discs=[(-10, 4, 6, 25)], centre_mm=(10, -4)), "ring"),
        (Phantom(streak_hu=6), "streak"),
        (Phantom(streak_hu=30), "streak"),
        (Phantom(centre_mm=(22, 0), diameter_mm=150), "off-centre"),
        (Phantom(water_hu=150, wall_mm=0), "no-water"),
        (Phantom(discs=[(20, 10, 8, -1000)]), "air"),
        (Phantom(discs=[(0, -87, 14, -1000)]), "air"),
    ],
)
def test_what_is_wrong_with_an_image_is_flagged_and_only_that(phantom: Phantom, code: str) -> None:
    assert codes(measured(phantom)) == {code}


@pytest.mark.parametrize("seed", range(4))
def test_a_good_image_has_no_flag(seed: int) -> None:
    assert codes(measured(Phantom(seed=seed + 20, noise_hu=5, cupping_hu=3))) == set()


def _head() -> np.ndarray[Any, Any]:
    """An oval with bone, brain, a nose: no patient, but no phantom either."""
    axis = np.linspace(-120, 120, 200)
    x, y = np.meshgrid(axis, axis)
    oval, skull = np.hypot(x / 70, y / 92), np.full(x.shape, -1000.0)
    skull[oval < 1] = 900
    skull[oval < 0.92] = 35
    skull[(np.abs(x) < 8) & (y < -85) & (y > -104)] = 40
    return skull + Phantom(matrix=200, field_mm=240).noise()


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (Phantom(field_mm=190).dataset(), "clipped"),
        (Phantom(centre_mm=(50, 0)).dataset(), "clipped"),
        (Phantom(diameter_mm=235, centre_mm=(9, 0)).dataset(padding=-2000), "clipped"),
        (Phantom(water_hu=-1000).dataset(), "empty-phantom"),
        (Phantom(water_hu=-1000, wall_mm=0).dataset(), "empty"),
        (as_dataset(_head(), 1.2), "no-phantom"),
        (as_dataset(np.zeros((128, 128)), 1.0), "no-outline"),
    ],
    ids=["field too small", "out at the side", "into the padding", "no water", "nothing", "a head", "water everywhere"],
)
def test_what_is_no_measurable_phantom_is_refused_with_its_reason(image: Any, code: str) -> None:
    with pytest.raises(NoPhantom) as refused:
        analyse(next(slices_of(image)))
    assert refused.value.code == code


def test_a_turned_image_is_refused() -> None:
    data = Phantom().dataset()
    data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    with pytest.raises(NoPhantom, match="turned"):
        analyse(next(slices_of(data)))

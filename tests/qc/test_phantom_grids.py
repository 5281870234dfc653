"""What is done to grids of pixels as a whole gives what scipy's slower general functions give."""

import numpy as np
import pytest
from scipy import ndimage
from slipring.qc.image.artefact import _beside
from slipring.qc.image.grids import between, grown, in_blocks, shrunk


def test_blocks_are_summed_and_what_fills_none_is_left_out() -> None:
    grid = np.arange(35, dtype=np.float64).reshape(5, 7)
    assert in_blocks(grid, 2).tolist() == [[16, 24, 32], [72, 80, 88]] and in_blocks(grid, 1).tolist() == grid.tolist()


def test_values_between_pixels_are_linear_and_those_beyond_the_edge_are_the_edge() -> None:
    draw = np.random.default_rng(3)
    hu = draw.normal(0, 300, (23, 31)).astype(np.float32)
    rows, columns = draw.uniform(-4, 27, 2000), draw.uniform(-4, 35, 2000)
    rows[:4], columns[:4] = (0, 22, 22, 0), (0, 30, 0, 30)
    expected = ndimage.map_coordinates(hu, [rows, columns], order=1, mode="nearest")
    assert np.allclose(between(hu, rows, columns), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_mask_shrinks_and_grows_by_its_neighbours(times: int) -> None:
    mask = ndimage.gaussian_filter(np.random.default_rng(4).normal(0, 1, (60, 47)), 3) > -0.05
    assert (shrunk(mask, times) == ndimage.binary_erosion(mask, iterations=times)).all()
    assert (grown(mask, times) == ndimage.binary_dilation(mask, iterations=times)).all()


def test_the_median_beside_a_value_stays_within_its_row() -> None:
    lines = np.random.default_rng(6).normal(0, 5, (7, 40))
    assert (_beside(lines, 4) == ndimage.median_filter(lines, (1, 9))).all()

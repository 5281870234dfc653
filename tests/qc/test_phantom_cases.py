"""Phantoms drawn by seed over wide ranges: nothing told is outside its tolerance, and nothing is told that is not there."""

import pytest

from tests.support.phantom_cases import a_case, judged


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_what_is_told_of_a_drawn_phantom_is_within_its_tolerance(seed: int) -> None:
    assert judged(*a_case(seed, largest=340)).outside() == []

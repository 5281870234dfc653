"""Verdicts: the boundary belongs to `within` and not to `below`; a baseline that nobody set fails nobody."""

from datetime import date

import pytest
from slipring.qc.image.limits.book import KINDS, editions
from slipring.qc.image.limits.verdict import Circumstances, verdicts

ON = date(2026, 3, 1)


def outcome(
    item: str, value: float, kind: str = "acceptance", edition: str = "ws-519-2019", thickness: float = 5.0,
    baseline: float | None = None, kernel: str = "STANDARD",
) -> str:  # fmt: skip
    seen = Circumstances(kind, ON, thickness, kernel, None if baseline is None else {item: baseline})
    (one,) = verdicts({item: value}, editions()[edition], seen)
    return one.outcome


@pytest.mark.clause("5.6.2.3")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("water_ct_number", 4.04), "pass"),  # 4.0 after rounding
        (("water_ct_number", -4.06), "fail"),
        (("water_ct_number", 5.9, "status"), "pass"),
        (("water_ct_number", 5.0, "constancy"), "no-baseline"),
        (("water_ct_number", 5.0, "constancy", "ws-519-2019", 5.0, 1.0), "pass"),
        (("water_ct_number", 5.1, "constancy", "ws-519-2019", 5.0, 1.0), "fail"),
        (("uniformity", -5.1), "fail"),
        (("noise_percent_10mm", 0.345), "pass"),  # 0.34: Python rounds half to even, and 0.345 is a little less
        (("noise_percent_10mm", 0.3504), "fail"),
        (("noise_percent_10mm", 0.34, "constancy", "ws-519-2019", 5.0, 0.31), "pass"),
        (("noise_percent_10mm", 0.35, "constancy", "ws-519-2019", 5.0, 0.31), "fail"),
        (("slice_thickness", 6.0), "pass"),
        (("slice_thickness", 6.1), "fail"),
        (("slice_thickness", 1.8, "acceptance", "ws-519-2019", 1.25), "pass"),
        (("slice_thickness", 2.0, "acceptance", "ws-519-2019", 1.25), "fail"),
        (("slice_thickness", 1.2, "acceptance", "ws-519-2019", 0.625), "fail"),
        (("slice_thickness", 11.9, "constancy", "ws-519-2019", 10.0, 10.0), "pass"),
        (("slice_thickness", 2.0, "status", "ws-519-2019", 1.25), "not-required"),
        (("high_contrast", 6.1), "within"),  # recalled limits neither pass nor fail a scanner
        (("high_contrast", 6.0), "warn"),
        (("high_contrast", 10.9, "acceptance", "ws-519-2019", 1.0, None, "BONEPLUS"), "warn"),
        (("ct_number_linearity", 51.0), "fail"),
        (("water_ct_number", 9.0, "acceptance", "gb-17589-2011"), "warn"),
    ],
)
def test_a_value_is_rounded_and_held_against_the_limit_of_its_edition_and_kind(asked: tuple, said: str) -> None:  # type: ignore[type-arg]
    assert outcome(*asked) == said


def test_every_limit_says_where_it_comes_from() -> None:
    for edition in editions().values():
        for item in edition.units:
            found = [edition.limit(item, kind, ON) for kind in KINDS]
            assert any(found), item
            assert all(len(one.source) > 5 and one.confidence in ("S", "S2", "R", "U") for one in found if one)
            assert all(one.id.startswith(edition.name) for one in found if one)


def test_before_its_day_an_edition_asks_nothing() -> None:
    assert editions()["ws-519-2019"].limit("uniformity", "status", date(2019, 6, 30)) is None

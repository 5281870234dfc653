"""The exam catalogue is whole, and what is wrong in it stops the start."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import slipring_order.catalogue as catalogue_room
from hypothesis import given
from hypothesis import strategies as st
from slipring_order.catalogue import SYSTEMS, UnsoundCatalogue, exam_of, exams, exams_of, own_codes, places, regions_of
from slipring_order.check_digits import is_loinc, is_snomed

DATA = Path(catalogue_room.__file__).with_name("data")


def a_tree(**changes: Any) -> dict[str, Any]:
    entry = {"code": "ct-x", "loinc": "24627-2", "display": "CT X", "zh": "某 CT", "contrast": "none"} | changes
    family = {"name": "x", "systems": ["B2"], "regions": ["chest"], "place": "chest", "protocol": "chest"}
    return {"family": [family | {"exams": [entry]}]}


@pytest.mark.clause("B")
def test_every_exam_belongs_to_one_or_more_of_the_six_systems_and_each_system_has_exams() -> None:
    counted = Counter(system for exam in own_codes().values() for system in exam.systems)
    assert set(counted) == set(SYSTEMS) and min(counted.values()) >= 5


@pytest.mark.clause("1")
def test_the_catalogue_covers_every_kind_of_exam_of_the_scope() -> None:
    kinds = Counter(exam.kind for exam in own_codes().values())
    wanted = {"plain", "enhanced", "angiography", "special", "guided-biopsy", "bedside", "intraoperative"}
    assert set(kinds) == wanted
    assert kinds["guided-biopsy"] == 8


def test_every_code_leads_to_one_exam_and_names_it_in_both_languages() -> None:
    loinc = [exam.loinc for exam in own_codes().values() if exam.loinc]
    assert len(loinc) == len(set(loinc)) == 110
    for code, exam in own_codes().items():
        assert exam.en and any("\u4e00" <= character <= "\u9fff" for character in exam.zh), code
        assert exams()[exam.loinc or code] is exam


def test_contrast_follows_the_name_that_loinc_gives() -> None:
    for exam in own_codes().values():
        if "WO and W" in exam.en or "WO contrast and CTA W" in exam.en:
            assert exam.phases == "both", exam.code
        elif "W contrast IV" in exam.en:
            assert exam.phases == "with", exam.code
        elif "WO contrast" in exam.en:
            assert exam.phases == "none", exam.code
        assert exam.contrast is (exam.phases != "none")


@pytest.mark.parametrize(("code", "system", "regions"), [
    ("24627-2", "B2", {"chest"}), ("30799-1", "B1", {"head"}), ("36813-4", "B4", {"abdomen", "pelvis"}),
    ("303653007", "B1", {"head"}), ("biopsy-liver", "B4", {"abdomen"}), ("432370003", "B5", {"abdomen", "pelvis"}),
])  # fmt: skip
def test_a_code_of_any_system_finds_its_exam(code: str, system: str, regions: set[str]) -> None:
    exam = exam_of(["unknown", code])
    assert exam is not None and system in exam.systems and exam.regions == regions


def test_an_exam_looks_at_the_regions_of_its_place() -> None:
    for exam in own_codes().values():
        if exam.place:
            place = places()[exam.place]
            assert place.regions & exam.regions, exam.code
            assert regions_of(place.snomed) == regions_of(place.dicom) == place.regions


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loinc": "24627-3"}, "ct-x: LOINC 24627-3 has a wrong check digit"),
        ({"loinc": "2462-7-2"}, "ct-x: LOINC 2462-7-2 has a wrong check digit"),
        ({"also": ["303653008"]}, "x: SNOMED CT 303653008 fails"),
        ({"systems": ["B7"]}, "ct-x: systems"),
        ({"systems": []}, "ct-x: systems"),
        ({"contrast": "some"}, "ct-x: contrast"),
        ({"kind": "odd"}, "ct-x: kind odd"),
        ({"place": "nowhere"}, "ct-x: place nowhere"),
        ({"also": ["24627-2"]}, "24627-2 is another exam's already"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_starts_on_it(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UnsoundCatalogue, match=said):
        exams_of(a_tree(**changes), places())


def test_the_shipped_file_with_one_wrong_digit_is_refused_by_its_row() -> None:
    text = (DATA / "exams.toml").read_text("utf-8").replace('"29252-4"', '"29252-5"')
    with pytest.raises(UnsoundCatalogue, match="ct-chest-plain: LOINC 29252-5"):
        exams_of(tomllib.loads(text), places())


@given(st.integers(1, 99_999), st.integers(0, 9), st.integers(0, 9))
def test_one_check_digit_of_ten_is_right_and_a_changed_digit_is_noticed(number: int, place: int, digit: int) -> None:
    right = [check for check in range(10) if is_loinc(f"{number}-{check}")]
    assert len(right) == 1
    text = str(number)
    place %= len(text)
    changed = f"{text[:place]}{digit}{text[place + 1 :]}-{right[0]}"
    assert is_loinc(changed) == (changed == f"{number}-{right[0]}")


@given(st.integers(10**5, 10**16), st.data())
def test_verhoeff_notices_a_changed_digit_and_two_that_changed_places(number: int, data: st.DataObject) -> None:
    [check] = [check for check in "0123456789" if is_snomed(f"{number}{check}")]
    code = f"{number}{check}"
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_snomed(swapped) == (swapped == code)
    digit = data.draw(st.sampled_from("0123456789"))
    changed = code[: place + 1] + digit + code[place + 2 :]
    assert is_snomed(changed) == (changed == code)

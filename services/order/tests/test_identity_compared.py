"""What a patient shows, held against the record: by kind, as written, never by likeness."""

from __future__ import annotations

import pytest
from slipring_order.rooms.identity import Shown, compare

from tests.support.ordering import a_patient


def test_two_of_one_kind_are_one() -> None:
    mr = {"coding": [{"code": "MR"}]}
    patient = a_patient(identifier=[{"type": mr, "value": "1"}, {"type": mr, "value": "2"}])
    found = compare([patient], Shown([{"value": "1"}, {"value": "2"}]))
    assert found.kinds == ("MR",) and not found.enough


def test_one_identifier_shown_twice_is_one() -> None:
    patient = a_patient(identifier=[{"system": "urn:s", "value": "1"}])
    found = compare([patient], Shown([{"system": "urn:s", "value": "1"}, {"value": "1"}]))
    assert found.kinds == ("urn:s",) and not found.enough


@pytest.mark.parametrize(
    ("said", "agrees"), [("张 伟", True), ("ＺＨＡＮＧ　wei", True), ("张炜", False), ("张", False)]
)
def test_names_compare_after_normalisation_and_never_by_likeness(said: str, agrees: bool) -> None:
    patient = a_patient(name=[{"text": "张伟"}, {"family": "Zhang", "given": ["Wei"]}])
    found = compare([patient], Shown(name=said))
    assert (found.kinds, found.wrong) == ((("name",), ()) if agrees else ((), ("name",)))


def test_one_number_under_two_systems_is_one() -> None:
    patient = a_patient(identifier=[{"system": "urn:s", "value": "1"}, {"system": "urn:t", "value": "1"}])
    found = compare([patient], Shown([{"system": "urn:s", "value": "1"}, {"system": "urn:t", "value": "1"}]))
    assert found.kinds == ("urn:s",) and not found.enough
    wrong = compare([patient], Shown([{"system": "urn:s", "value": "1"}, {"system": "urn:u", "value": "1"}]))
    assert wrong.wrong == ("urn:u",), "a number of a system that he has none of is somebody else's"


@pytest.mark.parametrize("members", [{"birthDate": None}, {"birthDate": "1961"}, {"birthDate": "1961-07"}])
def test_a_record_without_a_whole_birth_date_neither_agrees_nor_disagrees(members: dict[str, str | None]) -> None:
    found = compare([a_patient(**members)], Shown(birth_date="1961-07-15"))
    assert (found.kinds, found.wrong) == ((), ())


def test_a_record_of_another_year_disagrees_and_after_a_merge_one_record_that_knows_is_enough() -> None:
    year = a_patient(birthDate="1962")
    assert compare([year], Shown(birth_date="1961-07-15")).wrong == ("birth-date",)
    assert compare([year, a_patient()], Shown(birth_date="1961-07-15")).kinds == ("birth-date",)


@pytest.mark.parametrize(("said", "names"), [("· ", [{"text": "张伟"}]), ("张伟", [])])
def test_a_name_without_letters_and_a_record_without_a_name_say_nothing(said: str, names: list[dict[str, str]]) -> None:
    found = compare([a_patient(name=names)], Shown(name=said))
    assert (found.kinds, found.wrong) == ((), ())

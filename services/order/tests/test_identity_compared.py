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

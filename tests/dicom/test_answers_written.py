"""Answers of the worklist are written byte for byte as pydicom would write them, and no PDU is longer than agreed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom.dsutils import encode
from slipring_order.dicom.telling import in_pdus
from slipring_order.dicom.writing import TEXTS, Element, written

from tests.dicom.modality import worklist
from tests.dicom.scheduled import Exam, Hospital, a_patient

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
KEYWORDS = (
    "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "PregnancyStatus",
    "RequestedProcedureDescription", "MedicalAlerts", "PatientWeight", "AdditionalPatientHistory", "ScheduledStationAETitle",
)  # fmt: skip
SIGNS = st.text(st.sampled_from("Aa 1王芳é𠮷-"), max_size=12).map(str.strip)


def a_value(keyword: str) -> st.SearchStrategy[Any]:
    vr = dictionary_VR(keyword)
    if vr == "US":
        return st.one_of(st.just(""), st.integers(0, 4))
    if vr in TEXTS:
        return SIGNS
    plain = {"UI": ["", "1.2.3", "1.2.34"], "DA": ["", "20261126"], "DS": ["", "71.5"]}
    return st.sampled_from(plain.get(vr, ["", "CT1", "CT"]))


def some_elements() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={keyword: a_value(keyword) for keyword in KEYWORDS})


def as_elements(values: dict[str, Any], items: Sequence[dict[str, Any]]) -> list[Element]:
    found = [Element(Tag(name), dictionary_VR(name), value) for name, value in values.items()]
    found.append(Element(Tag("ScheduledProcedureStepSequence"), "SQ", [as_elements_of_item(one) for one in items]))
    return sorted(found, key=lambda one: one.tag)


def as_elements_of_item(values: dict[str, Any]) -> list[Element]:
    return sorted(Element(Tag(name), dictionary_VR(name), value) for name, value in values.items())


def as_dataset(elements: Sequence[Element]) -> Dataset:
    dataset = Dataset()
    for tag, vr, value in elements:
        held = value if isinstance(value, str | int) else [as_dataset(item) for item in value]
        dataset.add(DataElement(tag, vr, None if held == "" and vr == "US" else held))
    return dataset


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("character_set", ["ISO_IR 192", "GB18030"])
@given(values=some_elements(), items=st.lists(some_elements(), max_size=2))
def test_what_is_written_is_what_pydicom_writes(
    syntax: Any, character_set: str, values: dict[str, Any], items: list[dict[str, Any]]
) -> None:
    elements = [Element(Tag("SpecificCharacterSet"), "CS", character_set), *as_elements(values, items)]
    dataset = as_dataset(elements)
    ours = written(elements, syntax, character_set)
    assert ours == encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)


@given(
    command=st.binary(min_size=1, max_size=90),
    identifier=st.binary(min_size=1, max_size=400),
    most=st.integers(100, 600),
)
def test_a_message_in_parts_is_the_same_message(command: bytes, identifier: bytes, most: int) -> None:
    pdus = list(in_pdus(command, identifier, most))
    assert all(sum(len(value) + 5 for value in values) <= most for values in pdus)
    values = [value for values in pdus for value in values]
    assert values[0] == b"\x03" + command
    assert b"".join(value[1:] for value in values[1:]) == identifier
    assert [value[0] for value in values[1:]] == [0x00] * (len(values) - 2) + [0x02]


@pytest.fixture(scope="module")
def long_named(hospital: Hospital) -> Exam:
    return hospital.exam(a_patient("PDU-1", {"family": "欧阳", "given": ["长名"]}), minutes=72 * 60)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("most", [0, 4096, 300])
def test_every_transfer_syntax_and_every_length_of_pdu_is_answered(
    port: int, long_named: Exam, syntax: Any, most: int
) -> None:
    [entry] = worklist(port, AccessionNumber=long_named.number, syntax=syntax, longest_pdu=most)
    assert str(entry.PatientName) == "欧阳^长名"
    assert entry.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CT1"

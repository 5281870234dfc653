"""Headers as consoles really write them: what only looks different is no finding, what is different is one."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from slipring.rules.rulebook import check
from slipring_order.images.facts import ImageFacts
from slipring_order.images.reading import header_of, identity_of, order_side
from slipring_order.rules import IMAGE_RULES

from tests.support.desk import A_NOON
from tests.support.image_header import a_header
from tests.support.ordering import a_desk, a_patient, a_request

ZHANG = a_patient(name=[{"family": "张", "given": ["三"]}, {"family": "Zhang", "given": ["San"]}])


def with_bytes(instead: dict[str, bytes], **header: Any) -> Dataset:
    """A header in which these texts stand as other bytes of the same length, whatever set it declares."""
    buffer = BytesIO()
    a_header(**header).save_as(buffer, enforce_file_format=True)
    whole = buffer.getvalue()
    for text, written in instead.items():
        assert len(text) == len(written) and text.encode() in whole
        whole = whole.replace(text.encode(), written)
    return dcmread(BytesIO(whole))


def differing(header: Dataset, patient: dict[str, Any] = ZHANG, **request: Any) -> list[str]:
    """What the rules find of an image held against the order of this patient."""
    regions, sides = order_side(a_request(**request))
    image = header_of(header)
    facts = ImageFacts(image, image.accession, identity_of(patient), regions, sides)
    limits = a_desk().settings.limits.on(A_NOON.date())
    return [
        f"{one.rule}:{one.weight}" for one in check(facts, IMAGE_RULES, limits, A_NOON) if "accession" not in one.rule
    ]


def number(patient: dict[str, Any]) -> str:
    return str(patient["identifier"][0]["value"])


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.filterwarnings("ignore:Failed to decode")
@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("ISO_IR 100", "张^三".encode("gb18030")),  # the console writes Chinese and says Latin
        ("ISO_IR 192", "张^三".encode("gb18030")),
        ("", "张^三".encode("gb18030")),
        ("", "Zhang^San=张^三".encode("gb18030")),
        ("GB18030", "Zhang^San=张^三=".encode("gb18030")),
        (["", "ISO 2022 IR 58"], b"Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd"),
        (["", "ISO 2022 IR 58"], "Zhang^San=张^三".encode("gb2312")),  # without the escapes
        ("ISO_IR 192", "张^三".encode()),
    ],
)
def test_a_chinese_name_is_no_difference_however_it_is_written(declared: Any, written: bytes) -> None:
    written += b" " * (len(written) % 2)
    named = {"PatientID": number(ZHANG), "PatientName": "N" * len(written), "SpecificCharacterSet": declared or None}
    assert differing(with_bytes({"N" * len(written): written}, **named)) == []


@pytest.mark.parametrize(
    ("shown", "differs"),
    [("LYU^MEI", False), ("Lv^Mei", False), ("LU^MEI", False), ("Luo^Mei", True), ("LI^MEI", True), ("", False)],
)
def test_the_spellings_of_one_syllable_are_one(shown: str, differs: bool) -> None:
    patient = a_patient(name=[{"family": "Lü", "given": ["Mei"]}])
    found = differing(a_header(PatientID=number(patient), PatientName=shown), patient)
    assert bool(found) == differs


@pytest.mark.parametrize(
    ("part", "code", "found"),
    [
        ("CHEST", "24627-2", []),
        ("THORAX", "24627-2", []),
        ("CHEST_TO_PELVIS", "24627-2", []),
        ("HEAD", "24627-2", ["order.image-body-part:stop"]),
        ("SKULL", "24627-2", ["order.image-body-part:ask"]),
        ("UNKNOWN", "24627-2", []),
    ],
)
def test_a_part_in_a_word_of_its_own_is_read(part: str, code: str, found: list[str]) -> None:
    header = a_header(PatientID=number(ZHANG), PatientName="张^三", BodyPartExamined=part)
    coding = [{"system": "http://loinc.org", "code": code}]
    assert differing(header, code={"coding": coding}, bodySite=[]) == found


def test_a_part_in_chinese_is_read_though_a_code_has_no_character_set() -> None:
    written = "头颅".encode("gb18030")
    header = with_bytes({"P" * len(written): written}, PatientID=number(ZHANG), BodyPartExamined="P" * len(written))
    coding = [{"system": "http://loinc.org", "code": "24627-2"}]
    assert differing(header, code={"coding": coding}, bodySite=[]) == ["order.image-body-part:ask"]


def test_a_scan_of_the_abdomen_shows_the_lumbar_spine_and_one_of_the_head_does_not() -> None:
    site = [{"coding": [{"system": "http://snomed.info/sct", "code": "122496007"}]}]
    ordered = {"code": {"text": "腰椎 CT"}, "bodySite": site}
    for part, found in (("ABDOMEN", []), ("SPINE", []), ("LSPINE", []), ("HEAD", ["order.image-body-part:stop"])):
        header = a_header(PatientID=number(ZHANG), BodyPartExamined=part)
        assert differing(header, **ordered) == found, part

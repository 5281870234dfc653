"""The released report as a sheet: HTML and PDF, whose it is and the page on every page, who signed it (CL02-A011:5.8.1)."""

import base64
import hashlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from slipring.fhir.service import CANONICAL
from slipring.printing.pdf import can_print
from slipring_report.handlers import signing_input

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REVIEWER, ReadingRoom, a_physician, named

COMPOSITION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
SECTIONS = {
    "11329-0": "突发呼吸困难伴胸痛 2 小时。",
    "55111-9": "肺动脉 CT 血管成像，对比剂 60 ml，层厚 1 mm。",
    "59776-5": "双下肺动脉主干及分支见充盈缺损，最大者约 14 mm。",
    "18834-2": "与 2025-11-02 胸部 CT 比较，为新发。",
    "19005-8": "双下肺动脉急性栓塞。",
    "18783-1": "建议立即抗凝，24 小时内复查超声心动图。",
}
pytestmark = pytest.mark.skipif(not can_print(), reason="no Pango on this machine")


def a_text(times: int = 1) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": "r-text",
        "status": "preliminary",
        "section": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "text": {"div": f"<div>{'<p>' + words + '</p>'}</div>"},
            }
            if code != "59776-5"
            else {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "text": {
                    "div": "<div>" + f"<p>{words}右肺上叶见小结节，直径约 4 mm，边缘光整。</p>" * times + "</div>"
                },
            }
            for code, words in SECTIONS.items()
        ],
    }


def as_read(text: str) -> str:
    """Without the spaces that a PDF puts between signs."""
    return re.sub(r"\s", "", text)


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    made = ReadingRoom(tmp_path, pdf=True)
    made.desk.hold(
        {
            "resourceType": "Patient",
            "id": PATIENT.partition("/")[2],
            "name": [{"text": "路示例"}],
            "gender": "female",
            "birthDate": "1961-04-05",
            "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "SYN-0001"}],
        },
        source="elsewhere",
    )
    request = {
        "resourceType": "ServiceRequest",
        "id": "o-q",
        "subject": {"reference": PATIENT},
        "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": "CT20260302000017"}],
    }
    made.desk.hold(request, source="elsewhere")
    for person, licence, title, name in (
        (AUTHOR, "L-1", "resident-physician", "甲医师"),
        (REVIEWER, "L-2", "attending-physician", "乙医师"),
    ):
        since = "2015-01-01"
        made.desk.hold({**a_physician(person, licence, title, since), "name": [{"text": name}]}, source="elsewhere")
    return made


async def sheets(room: ReadingRoom, times: int, **members: Any) -> tuple[str, PdfReader, bytes]:
    room.desk.hold(a_text(times))
    text = {"url": COMPOSITION, "valueReference": {"reference": "Composition/r-text"}}
    await room.draft(extension=[text], effectiveDateTime="2026-03-02T11:20:00+08:00", **members)
    await room.release()
    page, paper = room.report().resource["presentedForm"]
    assert (page["contentType"], paper["contentType"]) == ("text/html; charset=utf-8", "application/pdf")
    content = base64.b64decode(paper["data"])
    assert paper["size"] == len(content)
    assert base64.b64decode(paper["hash"]) == hashlib.sha1(content, usedforsecurity=False).digest()
    assert (await room.verified())[0] and [seal["valid"]["valueBoolean"] for seal in await room.seals()] == [True, True]
    return base64.b64decode(page["data"]).decode(), PdfReader(io.BytesIO(content)), content


@pytest.mark.clause("5.8.1")
async def test_a_short_report_is_one_page_with_everything_on_it(room: ReadingRoom) -> None:
    html, pdf, _ = await sheets(room, 1)
    [page] = pdf.pages
    said = as_read(page.extract_text())
    for words in ("路示例", "1961-04-05", "SYN-0001", "CT20260302000017", "第1页共1页", *SECTIONS.values()):
        assert as_read(words) in said, words
    for words in (
        "甲医师",
        "乙医师",
        "住院医师",
        "主治医师",
        "level B",
        "level C",
        "2026-03-02 12:00",
        "建议 Recommendation",
    ):
        assert words in html and as_read(words) in said, words


async def test_whose_it_is_and_which_page_stand_on_each_of_three_pages(room: ReadingRoom) -> None:
    _, pdf, _ = await sheets(room, 58)
    assert len(pdf.pages) == 3
    for number, page in enumerate(pdf.pages, 1):
        said = as_read(page.extract_text())
        assert "路示例" in said and "CT20260302000017" in said and f"第{number}页共3页" in said, number
    fonts = {font for page in pdf.pages for font in page["/Resources"]["/Font"]}
    assert fonts, "the fonts are inside"


async def test_a_revised_sheet_says_so_of_which_version_and_why(room: ReadingRoom) -> None:
    await sheets(room, 1)
    before = room.report().version
    await room.amended("corrected", "wrong-side", conclusion="左下肺动脉栓塞。")
    await room.release()
    room.at = "DiagnosticReport/r-1"
    html = base64.b64decode(room.report().resource["presentedForm"][0]["data"]).decode()
    assert f"取代第 {before} 版" in html and "更正 corrected" in html and "左右侧错误" in html


async def test_one_rendering_put_in_the_others_place_breaks_its_seal(room: ReadingRoom) -> None:
    await sheets(room, 1)
    report = room.report().resource
    page, paper = report["presentedForm"]
    room.desk.hold({**report, "presentedForm": [page, {**paper, "extension": page["extension"]}]})
    assert not (await room.verified())[0]


async def test_somebody_elses_words_bring_no_markup_and_turn_nothing_round(room: ReadingRoom) -> None:
    patient = {"resourceType": "Patient", "id": "o-p", "name": [{"text": "<b>x</b>\u202e"}]}
    room.desk.hold(patient, source="elsewhere")
    await room.draft()
    answer = (await room.call(signing_input.signing_input_asked, role={"valueCode": "author"})).answer
    html = base64.b64decode(named(answer)["rendering"]["valueAttachment"]["data"]).decode()
    assert "<b>x</b>" not in html and "\u202e" not in html and CANONICAL not in html

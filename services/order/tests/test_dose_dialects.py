"""Dose reports as scanners should not write them, and files that are none: the right numbers, or a plain word why not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian
from slipring_order.dose.opening import opened
from slipring_order.dose.problem import Damaged, NotADoseReport
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.several import one_study

from tests.support.dose import a_code, a_number, a_report, an_event, an_item, written
from tests.support.dose_command import called
from tests.support.image_header import a_header


def the_bytes(report: Dataset, folder: Path) -> bytes:
    return written(report, folder / "r.dcm").read_bytes()


def with_number(report: Dataset, instead: bytes, folder: Path, *, said: bytes = b"100.0") -> Dataset:
    """The report with other bytes of the same length where a number stands."""
    whole = the_bytes(report, folder)
    assert len(instead) == len(said) + len(said) % 2
    assert said in whole
    return opened(BytesIO(whole.replace(said.ljust(len(instead)), instead)))


def test_a_vendors_own_concept_with_the_number_of_a_standard_one_is_another_concept() -> None:
    event = an_event("5", "100")
    own = a_number("113838", "77777", "mGy.cm")
    own.ConceptNameCodeSequence[0].CodingSchemeDesignator = "99ACME"
    event.ContentSequence.insert(0, own)
    assert read_dose_report(a_report(event)).events[0].dlp_mgy_cm == Decimal(100)


@pytest.mark.parametrize("instead", [b"abcdef", b"72,52 ", b"1.2.3 "])
def test_a_dose_that_is_no_number_is_none_and_doubted(instead: bytes, tmp_path: Path) -> None:
    report = read_dose_report(with_number(a_report(an_event("5", "90"), total="100.0"), instead, tmp_path))
    assert report.total_dlp_mgy_cm is None
    assert report.dlp_mgy_cm == Decimal(90)
    assert "1 of its doses are no numbers" in [doubt.en for doubt in report.doubts(Decimal(1))]


def test_a_pitch_that_is_no_number_costs_nothing_else(tmp_path: Path) -> None:
    """A scanner with variable pitch writes a span where DICOM wants a number."""
    event = an_event("5", "100")
    event.ContentSequence.append(an_item("113822", a_number("113828", "7.777777", "{ratio}")))
    report = with_number(a_report(event), b"0.6-1.2 ", tmp_path, said=b"7.777777")
    [read] = read_dose_report(report).events
    assert (read.pitch, read.dlp_mgy_cm) == (None, Decimal(100))


def test_two_events_of_one_uid_are_two_and_the_same_event_again_is_one() -> None:
    """A scanner that gives every event the same UID has irradiated twice all the same; a cumulative report has not."""
    careless = a_report(an_event("5", "100", uid="1.1"), an_event("6", "50", uid="1.1"), total=None)
    study = one_study([read_dose_report(careless)])
    assert (study.dlp_mgy_cm, len(study.events)) == (Decimal(150), 2)
    first = a_report(an_event("5", "100", uid="1.1"), total="100", uid="1.5")
    both = a_report(an_event("5", "100", uid="1.1"), an_event("6", "50", uid="1.2"), total="150", uid="1.6")
    study = one_study([read_dose_report(first), read_dose_report(both)])
    assert (study.dlp_mgy_cm, len(study.events)) == (Decimal(150), 2)


@pytest.mark.parametrize(
    ("meaning", "size"), [("PHANTOM 32 CM", 32), ("16cm", 16), ("Head 16 cm", 16), ("116 cm", None), ("Adult", None)]
)
def test_a_phantom_in_words_is_read_by_its_diameter(meaning: str, size: int | None) -> None:
    event = an_event()
    event.ContentSequence.append(an_item("113835", value=a_code("P-1", meaning)))
    assert read_dose_report(a_report(event)).events[0].phantom_cm == size


@pytest.mark.filterwarnings("ignore:Unknown encoding")
@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("", "gb18030", "胸部平扫"),
        ("", "gb18030", "𠮷田㐂"),
        ("ISO_IR 6", "gb18030", "胸部CT平扫"),
        (["", "ISO 2022 IR 58"], "gb2312", "胸部平扫"),  # without the escapes that this set asks for
        ("ISO_IR 999", "utf-8", "腹部"),
        ("", "latin-1", "Größe"),
        ("", "latin-1", "Müller"),
        ("", "latin-1", "Ørsted"),
        ("ISO_IR 100", "latin-1", "função"),
        ("GB18030", "gb18030", "胸部㐂"),
    ],
)
def test_a_protocol_is_read_whatever_the_file_says_of_its_signs(
    declared: str | list[str], encoding: str, text: str, tmp_path: Path
) -> None:
    report = a_report(an_event())
    report.SpecificCharacterSet = "ISO_IR 192"
    report.ContentSequence[1].ContentSequence[0].TextValue = "P" * len(text.encode(encoding))
    whole = the_bytes(report, tmp_path).replace(b"P" * len(text.encode(encoding)), text.encode(encoding))
    dataset = opened(BytesIO(whole))
    dataset.SpecificCharacterSet = declared or None
    again = BytesIO()
    dataset.save_as(again)
    read = read_dose_report(opened(BytesIO(again.getvalue())))
    assert read.events[0].protocol == text


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_every_transfer_syntax_of_a_file_reads_the_same(syntax: str, tmp_path: Path) -> None:
    report = a_report(an_event("5.00", "100.10"), total="100.10")
    written(report, tmp_path / "r.dcm")
    report.file_meta.TransferSyntaxUID = syntax
    report.save_as(tmp_path / "other.dcm", enforce_file_format=True)
    told, code, _ = called(tmp_path / "other.dcm")
    assert (code, str(told["other.dcm"]["total_dlp"])) == (0, "100.10")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_file_cut_anywhere_is_never_a_report_of_fewer_events(tmp_path: Path) -> None:
    whole = the_bytes(a_report(*(an_event(uid=f"1.{n}") for n in range(4)), total="400"), tmp_path)
    for length in range(200, len(whole), 7):
        with pytest.raises(NotADoseReport):
            read_dose_report(opened(BytesIO(whole[:length])))
    assert len(read_dose_report(opened(BytesIO(whole))).events) == 4


def test_a_damaged_report_in_a_folder_is_told_and_a_stranger_there_is_passed_over(tmp_path: Path) -> None:
    whole = the_bytes(a_report(an_event()), tmp_path)
    (tmp_path / "cut.dcm").write_bytes(whole[:-40])
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    told, code, said = called(tmp_path)
    assert (sorted(told), code) == (["cut.dcm", "r.dcm"], 1)
    assert "cut off" in told["cut.dcm"]["error"] and "cut.dcm: the file is cut off" in said
    with pytest.raises(Damaged):
        opened(BytesIO(whole[:-40]))


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "empty"), (b"\0" * 3_000_000, "not a DICOM"), (b"hello", "not a DICOM"), (b"\0" * 128 + b"DICM", "cut off")],
)
def test_what_is_no_dicom_file_is_said_at_once(content: bytes, word: str) -> None:
    with pytest.raises(NotADoseReport, match=word):
        opened(BytesIO(content))


def test_a_page_of_doses_saved_as_a_picture_is_called_a_picture(tmp_path: Path) -> None:
    page = a_header()
    page.SOPClassUID = page.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    page.save_as(tmp_path / "page.dcm", enforce_file_format=True)
    told, code, said = called(tmp_path / "page.dcm")
    assert code == 1
    assert told["page.dcm"]["error"].startswith("a picture (Secondary Capture Image Storage)")
    assert "图像" in told["page.dcm"]["error_zh"] and "page.dcm: a picture" in said


def test_a_report_through_a_pipe_is_read(tmp_path: Path) -> None:
    whole = the_bytes(a_report(an_event()), tmp_path)
    command = [str(Path(sys.executable).with_name("slipring")), "dose", "/dev/stdin"]
    ran = subprocess.run(command, input=whole, capture_output=True, check=False, timeout=120)
    assert (ran.returncode, b'"total_dlp": 100.0' in ran.stdout) == (0, True), ran.stderr


@pytest.mark.parametrize(
    "odd",
    [
        lambda report: report.__delattr__("ContentSequence"),
        lambda report: report.ContentSequence.clear(),
        lambda report: report.__delattr__("ConceptNameCodeSequence"),
    ],
)
def test_a_report_without_a_body_says_what_it_lacks(odd: Callable[[Dataset], None]) -> None:
    report = a_report(an_event())
    odd(report)
    with pytest.raises(NotADoseReport, match=r"without CT dose data|113701 is missing"):
        read_dose_report(report)

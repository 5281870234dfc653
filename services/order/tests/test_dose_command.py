"""`slipring dose`: one JSON object on stdout whatever the files are, errors by file, and the exit code."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from pydicom import dcmread
from slipring_order.dose.sending import NotSent, send

from tests.support.dose import ENHANCED_SR, a_code, a_number, a_report, an_event, an_item, written
from tests.support.dose_command import called
from tests.support.image_header import a_header


def test_one_object_holds_every_file_with_exact_decimals(tmp_path: Path) -> None:
    events = (an_event("5.00", "100.10", uid="1.1", region="T-D3000"), an_event(None, None, uid="1.2"))
    written(a_report(*events, total="100.10"), tmp_path / "one.dcm")
    told, code, _ = called(tmp_path / "one.dcm")
    assert code == 0 and list(told) == ["one.dcm"]
    assert (str(told["one.dcm"]["total_dlp"]), told["one.dcm"]["n_events"]) == ("100.10", 2)
    first, localizer = told["one.dcm"]["events"]
    assert (str(first["ctdivol"]), str(first["dlp"])) == ("5.00", "100.10")
    assert (localizer["ctdivol"], localizer["dlp"]) == (None, None), "no dose said is not a dose of 0"
    assert {"acquisition_type", "ctdivol", "dlp", "phantom", "kvp", "target"} <= set(first)
    assert told["one.dcm"]["accession"] == "CT20260303000001"


def test_an_enhanced_sr_and_other_units_give_the_same_numbers(tmp_path: Path) -> None:
    plain = a_report(an_event("5", "100"), total="100")
    other = a_report(an_event("5", "0.1", unit="Gy.cm"), total="0.1", unit="Gy*cm", uid="1.2.3.5")
    other.SOPClassUID, other.StudyInstanceUID = ENHANCED_SR, "1.2.10"
    for name, report in (("plain.dcm", plain), ("enhanced.dcm", other)):
        written(report, tmp_path / name)
    told, code, _ = called(tmp_path / "plain.dcm", tmp_path / "enhanced.dcm")
    assert code == 0
    assert {each["total_dlp"] for each in told.values()} == {Decimal(100)}


def test_reports_that_name_themselves_by_nothing_do_not_swallow_each_other(tmp_path: Path) -> None:
    for name, total, study in (("a.dcm", "200", "1.2.9"), ("b.dcm", "90", "1.2.10")):
        report = a_report(an_event("5", total), total=total)
        report.StudyInstanceUID = study
        written(report, tmp_path / name)
        nameless = dcmread(tmp_path / name)
        del nameless.SOPInstanceUID
        nameless.save_as(tmp_path / name, enforce_file_format=False)
    told, code, _ = called(tmp_path / "a.dcm", tmp_path / "b.dcm")
    assert code == 0
    assert [told[name]["total_dlp"] for name in ("a.dcm", "b.dcm")] == [Decimal(200), Decimal(90)]
    assert [told[name]["report_uid"] for name in ("a.dcm", "b.dcm")] == [None, None]
    assert not any(told[name].get("replaced_by") for name in told)


def test_a_bad_file_is_an_error_under_its_name_and_the_others_are_answered(tmp_path: Path) -> None:
    whole = written(a_report(an_event()), tmp_path / "good.dcm")
    (tmp_path / "cut.dcm").write_bytes(whole.read_bytes()[:400])
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "text.txt").write_text("no dose report", encoding="utf-8")
    a_header().save_as(tmp_path / "image.dcm", enforce_file_format=True)
    wrong_unit = written(a_report(an_event(), unit="mGy"), tmp_path / "unit.dcm")
    names = ["good.dcm", "cut.dcm", "empty.dcm", "text.txt", "image.dcm", wrong_unit.name, "absent.dcm"]
    told, code, _ = called(*(tmp_path / name for name in names))
    assert code == 1 and list(told) == names
    assert "error" not in told["good.dcm"] and told["good.dcm"]["n_events"] == 1
    for name in names[1:]:
        assert told[name]["error"] and told[name]["error_zh"], name
    assert "unit" in told["unit.dcm"]["error"] and "113701" in told["image.dcm"]["error"]


def test_folders_and_patterns_are_read_and_strangers_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    below = tmp_path / "study" / "series"
    below.mkdir(parents=True)
    written(a_report(an_event()), below / "a.dcm")
    written(a_report(an_event(), uid="1.2.3.5"), tmp_path / "study" / "b.dcm")
    (below / "README").write_text("notes", encoding="utf-8")
    told, code, said = called(tmp_path / "study")
    assert (sorted(told), code) == (["a.dcm", "b.dcm"], 0) and "1 other files" in said
    told, code, _ = called(tmp_path / "study" / "*.dcm")
    assert (list(told), code) == (["b.dcm"], 0)
    (tmp_path / "bare").mkdir()
    assert called(tmp_path / "bare")[:2] == ({}, 1), "nothing was read at all"


def test_reports_of_one_study_say_which_replaces_which_and_what_they_come_to(tmp_path: Path) -> None:
    first, second, third = (an_event(dlp=f"{n}0", uid=f"1.{n}") for n in (1, 2, 3))
    for number, held in enumerate(((first,), (first, second), (third,)), 1):
        total = str(
            sum(int(str(e.ContentSequence[1].ContentSequence[1].MeasuredValueSequence[0].NumericValue)) for e in held)
        )
        report = a_report(*held, total=total, uid=f"9.{number}")
        report.ContentDate, report.ContentTime = "20260302", f"0{number}0000"
        written(report, tmp_path / f"{number}.dcm")
    told, _, _ = called(tmp_path)
    assert [told[f"{n}.dcm"]["replaced_by"] for n in (1, 2, 3)] == ["2.dcm", None, None]
    assert told["1.dcm"]["study"] == {"reports": ["2.dcm", "3.dcm"], "total_dlp": 60, "n_events": 3}


def test_a_file_without_a_preamble_is_read_and_two_of_one_name_are_both_told(tmp_path: Path) -> None:
    report = a_report(an_event())
    whole = written(report, tmp_path / "x.dcm").read_bytes()
    (tmp_path / "deep").mkdir()
    del report.file_meta
    report.save_as(tmp_path / "deep" / "x.dcm", implicit_vr=True, little_endian=True)
    assert not (tmp_path / "deep" / "x.dcm").read_bytes().startswith(whole[:132])
    told, code, _ = called(tmp_path / "x.dcm", tmp_path / "deep" / "x.dcm")
    assert code == 0 and len(told) == 2
    assert {each["n_events"] for each in told.values()} == {1}


def test_acquisition_types_are_named_by_code_when_the_report_gives_no_words(tmp_path: Path) -> None:
    event = an_event(uid="1.1")
    event.ContentSequence.append(an_item("113820", value=a_code("113806", "")))
    event.ContentSequence.append(
        an_item("113822", a_number("113824", "1500", "ms"), a_number("113828", "0.9", "{ratio}"))
    )
    written(a_report(event), tmp_path / "one.dcm")
    [told] = called(tmp_path / "one.dcm")[0]["one.dcm"]["events"]
    assert told["acquisition_type"] == "Stationary Acquisition"
    assert (told["exposure_time"], told["pitch"]) == (Decimal("1.500"), Decimal("0.9"))


def test_the_file_itself_is_sent_and_a_refusal_is_passed_on() -> None:
    posted: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append(request)
        refused = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no such exam"}]}
        return httpx.Response(422, json=refused) if len(posted) > 1 else httpx.Response(200, json={"id": "o-9"})

    with httpx.Client(base_url="http://server", transport=httpx.MockTransport(answer)) as server:
        assert send(b"DICM", "CT20260303000001", server) == "Observation/o-9"
        with pytest.raises(NotSent, match="no such exam"):
            send(b"DICM", "ServiceRequest/o-1", server)
    first, second = ({p["name"]: p for p in json.loads(request.content)["parameter"]} for request in posted)
    assert posted[0].url.path == "/fhir/Observation/$take-dose-report"
    assert (
        first["report"]["valueBase64Binary"] == "RElDTQ=="
        and first["imagingNumber"]["valueString"] == "CT20260303000001"
    )
    assert second["request"]["valueReference"] == {"reference": "ServiceRequest/o-1"}

"""The worklist as scanners ask for it: whom it lists, by which keys, in which characters."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from slipring.identity.clients import DEMO_DEPARTMENT

from tests.dicom.modality import a_query, asked, associated, worklist
from tests.dicom.scheduled import Exam, Hospital, a_patient, a_water_value
from tests.dicom.toolkit import needs_toolkit, scu

LATIN_TOO = [{"family": "王", "given": ["芳"], "use": "official"}, {"family": "Wang", "given": ["Fang"]}]


@pytest.fixture(scope="module")
def exams(hospital: Hospital) -> dict[str, Exam]:
    """Four exams: three on CT1, one on CT2."""
    return {
        "wang": hospital.exam(a_patient("W-1", *LATIN_TOO, gender="male"), minutes=0),
        "li": hospital.exam(a_patient("W-2", {"family": "李", "given": ["𠮷祥"]}), minutes=15),
        "smith": hospital.exam(a_patient("W-3", {"family": "Smith", "given": ["Anna"]}), minutes=30),
        "zhao": hospital.exam(a_patient("W-4", {"family": "赵", "given": ["敏"]}), "CT2", minutes=24 * 60),
    }


def numbers(found: list[Any]) -> list[str]:
    return [str(one.AccessionNumber) for one in found]


@pytest.mark.clause("5.4.6")
def test_an_entry_tells_the_scanner_all_it_writes_into_its_images(port: int, exams: dict[str, Exam]) -> None:
    """Who, under which one number, under which Study Instance UID: the images carry it on."""
    exam = exams["wang"]
    [entry] = worklist(port, AccessionNumber=exam.number)
    [step] = entry.ScheduledProcedureStepSequence
    assert str(entry.PatientName) == "Wang^Fang=王^芳"
    assert (entry.PatientID, entry.PatientSex, entry.PatientBirthDate) == ("W-1", "M", "19580412")
    assert (entry.RequestedProcedureID, entry.StudyInstanceUID) == (exam.number, exam.study_uid)
    assert len(exam.number) <= 16
    assert entry.RequestedProcedureDescription == "胸部 CT 平扫"
    assert str(entry.ReferringPhysicianName) == "林^示例"
    assert (step.ScheduledStationAETitle, step.Modality) == ("CT1", "CT")
    assert step.ScheduledProcedureStepStartTime == "080000"
    assert step.ScheduledProcedureStepID


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"ScheduledStationAETitle": "CT1"}, ["wang", "li", "smith"]),
        ({"ScheduledStationAETitle": "CT2"}, ["zhao"]),
        ({"ScheduledStationAETitle": "CT?"}, ["wang", "li", "smith", "zhao"]),
        ({"ScheduledStationAETitle": "CT9"}, []),
        ({"ScheduledStationAETitle": ["CT9", "CT2"]}, ["zhao"]),
        ({"PatientName": "Wang*=王*", "SpecificCharacterSet": "ISO_IR 192"}, ["wang"]),
        ({"PatientName": "*芳*", "SpecificCharacterSet": "ISO_IR 192"}, ["wang"]),
        ({"PatientID": "W-3"}, ["smith"]),
        ({"PatientID": "W-*"}, ["wang", "li", "smith", "zhao"]),
        ({"PatientID": "W"}, []),
        ({"PatientName": "smith*"}, ["smith"]),
        ({"PatientName": "WANG^FANG"}, ["wang"]),
        ({"PatientName": "王*", "SpecificCharacterSet": "ISO_IR 192"}, ["wang"]),
        ({"PatientName": "王*", "SpecificCharacterSet": "GB18030"}, ["wang"]),
        ({"PatientName": "*𠮷*", "SpecificCharacterSet": "GB18030"}, ["li"]),
        ({"Modality": "CT"}, ["wang", "li", "smith", "zhao"]),
        ({"Modality": "MR"}, []),
        ({"ScheduledProcedureStepStartTime": "0810-0820"}, ["li"]),
        ({"ScheduledProcedureStepStartTime": "-0815"}, ["wang", "li", "zhao"]),
        ({"PatientSex": "F"}, []),
        ({"PatientBirthDate": "19580412"}, ["wang", "li", "smith", "zhao"]),
    ],
)
def test_keys_choose_the_entries(port: int, exams: dict[str, Exam], keys: dict[str, str], expected: list[str]) -> None:
    found = numbers(worklist(port, **keys))
    ours = {exam.number for exam in exams.values()}
    assert [number for number in found if number in ours] == [exams[name].number for name in expected]


def test_days_are_the_departments_days_and_ranges_include_their_ends(
    port: int, hospital: Hospital, exams: dict[str, Exam]
) -> None:
    monday = f"{hospital.begins_at:%Y%m%d}"
    first = [exams[name].number for name in ("wang", "li", "smith")]
    ours = {exam.number for exam in exams.values()}  # other tests book scanners of their own on this day
    that_day = numbers(worklist(port, ScheduledProcedureStepStartDate=monday))
    assert [number for number in that_day if number in ours] == first
    assert set(first) < set(numbers(worklist(port, ScheduledProcedureStepStartDate=f"{monday}-")))
    assert numbers(worklist(port, ScheduledProcedureStepStartDate="-19991231")) == []


def test_a_list_of_studies_finds_each_of_them(port: int, exams: dict[str, Exam]) -> None:
    wanted = [exams["wang"].study_uid, exams["zhao"].study_uid]
    found = worklist(port, StudyInstanceUID=wanted)
    assert sorted(one.StudyInstanceUID for one in found) == sorted(wanted)


def test_a_key_that_we_do_not_know_is_answered_empty_and_with_a_warning(port: int, exams: dict[str, Exam]) -> None:
    with associated(port) as association:
        query = a_query(AccessionNumber=exams["smith"].number, PatientComments="x", EthnicGroup="")
        [entry], statuses = asked(association, query)
        [_], plain = asked(association, a_query(AccessionNumber=exams["smith"].number))
    assert statuses == [0xFF01, 0x0000]
    assert plain == [0xFF00, 0x0000]
    assert entry["PatientComments"].is_empty


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_date_that_is_none_is_refused_and_the_next_query_answered(port: int, exams: dict[str, Exam]) -> None:
    with associated(port) as association:
        query = a_query()
        query.ScheduledProcedureStepSequence[0].add_new("ScheduledProcedureStepStartTime", "TM", "9999")
        found, statuses = asked(association, query)
        again, _ = asked(association, a_query(AccessionNumber=exams["wang"].number))
    assert (found, statuses) == ([], [0xA900])
    assert len(again) == 1


@pytest.mark.parametrize(
    ("calling", "asked_in", "answered_in"),
    [
        ("CT1", "", "ISO_IR 192"),
        ("CT1", "ISO_IR 192", "ISO_IR 192"),
        ("CT1", "GB18030", "GB18030"),
        ("CT1", "ISO_IR 100", "ISO_IR 192"),  # it has no Chinese: a name is never sent with question marks in it
        ("CT1", ["", "ISO 2022 IR 58"], "GB18030"),  # the same signs without escapes
        ("CT2", "", "GB18030"),
        ("CT2", "ISO_IR 192", "GB18030"),  # as configured for this peer
    ],
)
def test_chinese_names_come_in_the_characters_the_scanner_reads(
    port: int, exams: dict[str, Exam], calling: str, asked_in: Any, answered_in: Any
) -> None:
    keys = {"SpecificCharacterSet": asked_in} if asked_in else {}
    [entry] = worklist(port, calling, AccessionNumber=exams["wang"].number, **keys)
    assert entry.SpecificCharacterSet == answered_in
    assert str(entry.PatientName) == "Wang^Fang=王^芳"


def test_signs_beyond_the_first_plane_come_through_where_the_set_has_them(port: int, exams: dict[str, Exam]) -> None:
    for asked_in in ("ISO_IR 192", "GB18030"):
        [entry] = worklist(port, AccessionNumber=exams["li"].number, SpecificCharacterSet=asked_in)
        assert (str(entry.PatientName), entry.SpecificCharacterSet) == ("李^𠮷祥", asked_in)


@needs_toolkit
@pytest.mark.parametrize("character_set", ["ISO_IR 192", "GB18030"])
def test_the_toolkit_reads_the_worklist(port: int, exams: dict[str, Exam], tmp_path: Path, character_set: str) -> None:
    query = tmp_path / "query.dump"
    query.write_text(
        f"(0008,0005) CS [{character_set}]\n(0008,0050) SH [{exams['wang'].number}]\n(0010,0010) PN []\n"
        "(0010,0020) LO []\n(0040,0100) SQ\n(fffe,e000) -\n(0040,0001) AE [CT1]\n(0040,0002) DA []\n"
        "(fffe,e00d) -\n(fffe,e0dd) -\n",
        encoding="ascii",
    )
    binary = tmp_path / "query.dcm"
    made = subprocess.run(["dump2dcm", str(query), str(binary)], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    said = scu("findscu", port, "-v", "-W", "-X", "-od", tmp_path, binary)
    assert said.code == 0, said.text
    [answer] = tmp_path.glob("rsp*.dcm")
    entry = dcmread(answer)
    assert str(entry.PatientName) == "Wang^Fang=王^芳"
    assert entry.SpecificCharacterSet == character_set


@pytest.mark.clause("5.3.1.4")
def test_a_scanner_out_of_service_gets_no_entry_until_it_is_back(port: int, hospital: Hospital) -> None:
    exam = hospital.exam(a_patient("W-5"), "CT2", minutes=24 * 60 + 30)
    assert numbers(worklist(port, "CT2", AccessionNumber=exam.number)) == [exam.number]
    hospital.scanners["CT2"] = hospital.saved(
        hospital.read(hospital.reference("CT2")["reference"]) | {"status": "inactive"}
    )
    assert worklist(port, "CT2", AccessionNumber=exam.number) == []
    hospital.scanners["CT2"] = hospital.saved(
        hospital.read(hospital.reference("CT2")["reference"]) | {"status": "active"}
    )
    assert numbers(worklist(port, "CT2", AccessionNumber=exam.number)) == [exam.number]


@pytest.mark.clause("5.6.2.3")
def test_a_scanner_out_of_limits_gets_no_entry_until_a_test_passes(port: int, hospital: Hospital) -> None:
    """A water CT number far from nought, measured by whomever: nothing more is scanned on it."""
    exam = hospital.exam(a_patient("W-7"), "CT2", minutes=24 * 60 + 60)
    hospital.made(a_water_value(hospital.reference("CT2"), 25))
    assert worklist(port, "CT2", AccessionNumber=exam.number) == []
    hospital.made(a_water_value(hospital.reference("CT2"), 1))
    assert numbers(worklist(port, "CT2", AccessionNumber=exam.number)) == [exam.number]


def test_a_cancelled_exam_is_off_the_list(port: int, hospital: Hospital) -> None:
    exam = hospital.exam(a_patient("W-6"), minutes=48 * 60)
    assert len(worklist(port, AccessionNumber=exam.number)) == 1
    request = hospital.read(f"ServiceRequest/{exam.request['id']}")
    hospital.saved(request | {"status": "revoked"})
    assert worklist(port, AccessionNumber=exam.number) == []


@pytest.mark.clause("5.10.1")
def test_a_query_is_on_the_trail_with_the_scanner_and_the_patients(
    port: int, hospital: Hospital, exams: dict[str, Exam]
) -> None:
    worklist(port, AccessionNumber=exams["smith"].number)
    with hospital.server.client("system/AuditEvent.rs", DEMO_DEPARTMENT) as http:
        found = http.get("/fhir/AuditEvent", params={"altid": "dicom:CT1", "_count": "50"})
    assert found.status_code == 200, found.text
    patient = f"Patient/{exams['smith'].patient['id']}"
    assert any(patient in str(entry["resource"]["entity"]) for entry in found.json()["entry"])

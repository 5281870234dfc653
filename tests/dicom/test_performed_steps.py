"""Performed steps as scanners report them: the exam moves with them, and no rule keeps a fact out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.dicom.modality import a_beginning, an_end, associated, changed, created, worklist
from tests.dicom.scheduled import Exam, Hospital, a_patient


def entry_of(port: int, exam: Exam) -> Dataset:
    [entry] = worklist(port, AccessionNumber=exam.number)
    return entry


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def procedure(hospital: Hospital, uid: str) -> dict[str, Any]:
    [found] = hospital.found(f"Procedure?identifier=urn:dicom:uid|urn:oid:{uid}")
    return found


@pytest.fixture
def exam(hospital: Hospital) -> Exam:
    return hospital.exam(a_patient(f"M-{generate_uid()[-12:]}", {"family": "孙", "given": ["悟"]}))


@pytest.mark.clause("5.5.1.1")
def test_a_step_takes_its_exam_from_begun_to_acquired(port: int, hospital: Hospital, exam: Exam) -> None:
    entry, uid = entry_of(port, exam), generate_uid()
    with associated(port) as scanner:
        assert created(scanner, a_beginning(entry, now()), uid) == 0x0000
        assert hospital.state(exam) == "in-progress"
        assert worklist(port, AccessionNumber=exam.number) == [], "what is under way is on nobody's list"
        assert changed(scanner, an_end(now()), uid) == 0x0000
    assert hospital.state(exam) == "acquired"
    stored = procedure(hospital, uid)
    assert stored["status"] == "completed"
    assert stored["basedOn"] == [{"reference": f"ServiceRequest/{exam.request['id']}"}]
    assert stored["subject"] == {"reference": f"Patient/{exam.patient['id']}"}
    assert stored["usedReference"] == [hospital.reference("CT1")]
    assert set(stored["performedPeriod"]) == {"start", "end"}
    assert [note["text"] for note in stored["note"]] == ["胸部平扫", "Thorax: 0"]
    task = hospital.task_of(exam.request)
    assert task["executionPeriod"]["start"] == stored["performedPeriod"]["start"]


def test_a_step_that_was_discontinued_says_why(port: int, hospital: Hospital, exam: Exam) -> None:
    uid, said, reason = generate_uid(), an_end(now(), "DISCONTINUED"), Dataset()
    reason.CodeValue, reason.CodingSchemeDesignator, reason.CodeMeaning = "110501", "DCM", "Equipment failure"
    said.PerformedProcedureStepDiscontinuationReasonCodeSequence = [reason]
    with associated(port) as scanner:
        assert created(scanner, a_beginning(entry_of(port, exam), now()), uid) == 0
        assert changed(scanner, said, uid) == 0
    assert hospital.state(exam) == "discontinued"
    for told in (procedure(hospital, uid), hospital.task_of(exam.request)):
        assert told["statusReason"]["coding"][0]["code"] == "110501"


def test_a_scan_nobody_had_permitted_is_stored_and_opens_a_nonconformity(
    port: int, hospital: Hospital, exam: Exam
) -> None:
    """The exam is scheduled only: nobody has confirmed the patient. The scanner is believed all the same."""
    uid = generate_uid()
    with associated(port) as scanner:
        assert created(scanner, a_beginning(entry_of(port, exam), now()), uid) == 0
    assert hospital.state(exam) == "in-progress"
    task = hospital.task_of(exam.request)
    [opened] = hospital.found(f"Task?focus=Task/{task['id']}&code=nonconformity")
    assert opened["requester"] == hospital.reference("CT1")
    assert opened["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.5.1.1"
    assert hospital.read(opened["reasonReference"]["reference"])["resourceType"] == "DetectedIssue"


@pytest.mark.clause("5.4.6")
def test_an_unlisted_scan_is_stored_and_opens_a_nonconformity(port: int, hospital: Hospital) -> None:
    uid = generate_uid()
    with associated(port) as scanner:
        assert created(scanner, a_beginning(None, now()), uid) == 0
        assert changed(scanner, an_end(now()), uid) == 0
    stored = procedure(hospital, uid)
    assert stored["status"] == "completed"
    assert "basedOn" not in stored
    assert stored["subject"] == {"identifier": {"value": "NOBODY"}, "display": "未登记"}
    [opened] = hospital.found(f"Task?focus=Procedure/{stored['id']}&code=nonconformity")
    assert opened["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.4.6"


def test_an_unlisted_scan_of_a_known_patient_is_his(port: int, hospital: Hospital) -> None:
    patient, uid = hospital.made(a_patient("M-KNOWN")), generate_uid()
    with associated(port) as scanner:
        assert created(scanner, a_beginning(None, now(), PatientID="M-KNOWN"), uid) == 0
    assert procedure(hospital, uid)["subject"] == {"reference": f"Patient/{patient['id']}"}


def test_the_same_step_twice_and_a_step_that_is_over_are_told_apart(port: int, hospital: Hospital) -> None:
    uid = generate_uid()
    with associated(port) as scanner:
        assert changed(scanner, an_end(now()), uid) == 0x0112
        assert created(scanner, a_beginning(None, now()), uid) == 0x0000
        assert created(scanner, a_beginning(None, now()), uid) == 0x0111
        assert changed(scanner, an_end(now()), uid) == 0x0000
        assert changed(scanner, an_end(now(), "DISCONTINUED"), uid) == 0x0110
    assert procedure(hospital, uid)["status"] == "completed"


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"PerformedProcedureStepStatus": None}, 0x0120),
        ({"PerformedProcedureStepStatus": ""}, 0x0121),
        ({"PerformedProcedureStepStatus": "COMPLETED"}, 0x0106),
        ({"PerformedProcedureStepStatus": "DONE"}, 0x0106),
        ({"PerformedProcedureStepStartDate": None}, 0x0120),
        ({"PerformedProcedureStepStartDate": "yesterday"}, 0x0106),
        ({"ScheduledStepAttributesSequence": None}, 0x0120),
        ({"ScheduledStepAttributesSequence": []}, 0x0121),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_message_of_the_wrong_shape_is_refused_and_nothing_is_stored(
    port: int, hospital: Hospital, members: dict[str, Any], status: int
) -> None:
    uid = generate_uid()
    with associated(port) as scanner:
        assert created(scanner, a_beginning(None, now(), **members), uid) == status
    assert hospital.found(f"Procedure?identifier=urn:dicom:uid|urn:oid:{uid}") == []


@pytest.mark.parametrize("character_set", ["GB18030", "ISO_IR 192", "GBK", None])
def test_names_are_read_in_every_set_and_without_one(port: int, hospital: Hospital, character_set: str | None) -> None:
    uid, said = generate_uid(), a_beginning(None, now(), PatientName="欧阳^修", PerformedProcedureStepDescription="")
    if character_set:
        said.SpecificCharacterSet = character_set
    else:  # the bytes of GB2312, and not a word about it
        del said.SpecificCharacterSet
        said.PatientName = "欧阳^修".encode("gb2312").decode("latin-1")
    with associated(port) as scanner:
        assert created(scanner, said, uid) == 0
    assert procedure(hospital, uid)["subject"]["display"] == "欧阳修"

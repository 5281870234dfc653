"""Orthanc, which many departments run, asks our worklist and sends us what it keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.uid import ImplicitVRLittleEndian, RLELossless, generate_uid

from tests.dicom.objects import a_dose_report, an_image
from tests.dicom.orthanc import Orthanc, needs_orthanc, running
from tests.dicom.scheduled import Exam, Hospital, a_patient
from tests.dicom.test_storage import of_exam, until

pytestmark = needs_orthanc
WANG = [{"family": "王", "given": ["芳"], "use": "official"}, {"family": "Wang", "given": ["Fang"]}]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Orthanc]:
    with running(tmp_path_factory.mktemp("orthanc"), port) as found:
        yield found


@pytest.fixture(scope="module")
def exam(hospital: Hospital) -> Exam:
    return hospital.exam(a_patient("ORTHANC-1", *WANG), minutes=96 * 60)


def test_its_echo_is_answered(orthanc: Orthanc) -> None:
    assert orthanc.echoes()


@pytest.mark.clause("5.4.6")
@pytest.mark.parametrize("keys", [{"AccessionNumber": None}, {"PatientID": "ORTHANC-*"}, {"PatientName": "王*"}])
def test_it_finds_an_exam_on_the_worklist_with_its_chinese_name(
    orthanc: Orthanc, exam: Exam, keys: dict[str, str | None]
) -> None:
    asked = {name: value or exam.number for name, value in keys.items()}
    step = {"ScheduledStationAETitle": "CT1", "ScheduledProcedureStepStartDate": "", "Modality": "CT"}
    query = {"AccessionNumber": "", "PatientName": "", "PatientID": "", "StudyInstanceUID": ""} | asked
    found = orthanc.worklist({**query, "ScheduledProcedureStepSequence": [step]})
    [entry] = [one for one in found if one["AccessionNumber"] == exam.number]
    assert entry["PatientName"] == "Wang^Fang=王^芳"
    assert (entry["PatientID"], entry["StudyInstanceUID"]) == ("ORTHANC-1", exam.study_uid)
    [told] = entry["ScheduledProcedureStepSequence"]
    assert told["ScheduledStationAETitle"] == "CT1"


def test_what_it_sends_ends_on_record_whatever_its_transfer_syntax(
    orthanc: Orthanc, hospital: Hospital, exam: Exam
) -> None:
    series = generate_uid()
    images = [an_image(SeriesInstanceUID=series, InstanceNumber=n, **of_exam(exam)) for n in range(3)]
    images[1].file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    images[2].compress(RLELossless)
    assert orthanc.stores(*images, a_dose_report("311.42", **of_exam(exam))) == 0
    [study] = until(lambda: hospital.found(f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{exam.study_uid}"))
    assert [one["uid"] for one in study["series"]] == [series]
    query = f"Observation?code=73569-6&based-on=ServiceRequest/{exam.request['id']}"
    [dose] = until(lambda: hospital.found(query))
    assert "311.42" in str(dose["component"])

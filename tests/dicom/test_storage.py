"""What scanners send is safe before it is acknowledged, and ends on record or with a person."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from slipring.runtime.postgres import stop
from slipring_order.dicom.spool import Full, Spool

from tests.dicom.conftest import with_port
from tests.dicom.modality import a_beginning, associated, created, worklist
from tests.dicom.objects import a_dose_report, an_image, written
from tests.dicom.scheduled import Exam, Hospital, a_patient
from tests.dicom.toolkit import needs_toolkit, scu
from tests.support.server import Server

_PATIENCE_SECONDS = 60.0


def until(seen: Callable[[], Any]) -> Any:
    """Wait for something to be so."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not (found := seen()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return found


def sent(port: int, *objects: Dataset, calling: str = "CT1") -> list[int]:
    """Store objects; the status of each."""
    with associated(port, calling) as scanner:
        return [int(scanner.send_c_store(one).Status) for one in objects]


def of_exam(exam: Exam) -> dict[str, Any]:
    """What the scanner writes into everything it makes of an exam."""
    return {"AccessionNumber": exam.number, "StudyInstanceUID": exam.study_uid, "PatientID": exam.patient_id}


@pytest.fixture
def exam(hospital: Hospital) -> Exam:
    return hospital.exam(a_patient(f"S-{generate_uid()[-12:]}"))


def test_a_dose_report_becomes_the_dose_of_its_exam(port: int, hospital: Hospital, exam: Exam) -> None:
    """Sent twice, as scanners do when they are not sure: it counts once."""
    report = a_dose_report("724.52", **of_exam(exam))
    assert sent(port, report, report) == [0, 0]
    query = f"Observation?code=73569-6&based-on=ServiceRequest/{exam.request['id']}"
    [dose] = until(lambda: hospital.found(query))
    assert "724.52" in str(dose["component"])
    until(lambda: _waiting(hospital) == 0)
    assert len(hospital.found(query)) == 1


def test_images_show_that_the_scan_was_done(port: int, hospital: Hospital, exam: Exam) -> None:
    [entry] = worklist(port, AccessionNumber=exam.number)
    with associated(port) as scanner:
        created(scanner, a_beginning(entry, hospital.begins_at), generate_uid())
    series = generate_uid()
    images = [an_image(SeriesInstanceUID=series, InstanceNumber=n, **of_exam(exam)) for n in (1, 2, 3)]
    assert sent(port, *images) == [0, 0, 0]
    [study] = until(lambda: hospital.found(f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{exam.study_uid}"))
    assert [one["uid"] for one in study["series"]] == [series]
    assert study["basedOn"] == [{"reference": f"ServiceRequest/{exam.request['id']}"}]


def test_images_of_another_patient_are_found_out(port: int, hospital: Hospital, exam: Exam) -> None:
    wrong = an_image(**of_exam(exam) | {"PatientID": "SOMEBODY-ELSE", "PatientName": "别^人"})
    assert sent(port, wrong) == [0]
    request = f"ServiceRequest/{exam.request['id']}"
    until(lambda: [one for one in hospital.found(f"DetectedIssue?implicated={request}") if "image" in str(one)])


def test_a_phantom_series_is_kept_for_quality_control(port: int, served_port: Server, hospital: Hospital) -> None:
    phantom = an_image(PatientID="QA-WATER", PatientName="PHANTOM^WATER")
    assert sent(port, phantom) == [0]
    folder = served_port.data_dir / "dicom" / "kept" / phantom.StudyInstanceUID / phantom.SeriesInstanceUID
    [kept] = until(lambda: list(folder.glob("*.dcm")))
    assert kept.stem == phantom.SOPInstanceUID
    assert hospital.found(f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{phantom.StudyInstanceUID}") == []


@needs_toolkit
def test_the_toolkit_stores_a_report_and_is_told_what_it_may_not(port: int, hospital: Hospital, tmp_path: Path) -> None:
    exam = hospital.exam(a_patient("S-TOOLKIT"))
    path = written(a_dose_report("60.17", **of_exam(exam)), tmp_path)
    assert scu("storescu", port, path).code == 0
    assert scu("storescu", port, path, calling="STRANGER").code != 0
    query = f"Observation?code=73569-6&based-on=ServiceRequest/{exam.request['id']}"
    until(lambda: hospital.found(query))


def test_an_object_that_names_no_study_is_refused(port: int, served_port: Server) -> None:
    image = an_image()
    del image.StudyInstanceUID
    assert sent(port, image) == [0xA900]
    assert not list((served_port.data_dir / "dicom" / "incoming").iterdir())


def test_a_report_that_is_none_is_put_aside_and_the_next_one_taken(
    port: int, served_port: Server, hospital: Hospital, exam: Exam
) -> None:
    other = a_dose_report(**of_exam(exam))
    other.ConceptNameCodeSequence[0].CodeValue = "111036"  # a CAD report
    aside = served_port.data_dir / "dicom" / "refused"
    before = len(list(aside.iterdir()))
    assert sent(port, other, a_dose_report("12.5", **of_exam(exam))) == [0, 0]
    until(lambda: hospital.found(f"Observation?code=73569-6&based-on=ServiceRequest/{exam.request['id']}"))
    assert until(lambda: len(list(aside.iterdir())) == before + 1)


def _found(http: httpx.Client, query: str) -> bool:
    return bool(http.get(query).json().get("entry"))


def _waiting(hospital: Hospital) -> int:
    health = httpx.get(f"{hospital.server.url}/order/health/engine", trust_env=False).json()
    return int(health["checks"]["dicom:intake"][0]["observedValue"])


def test_a_full_spool_turns_objects_away_and_loses_none(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2_500_000)
    spool.open()
    spool.take(2_000_000)
    with pytest.raises(Full):
        spool.take(1_000_000)
    spool.give_back(2_000_000)
    spool.take(2_500_000)


def test_the_spool_is_the_queue_and_its_names_bring_nobody_out_of_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000_000)
    spool.open()
    for title in ("CT1", "../../ETC", "A B"):
        incoming = spool.new_incoming()
        incoming.write_bytes(b"x" * 10)
        spool.acknowledge(incoming, title)
    again = Spool(tmp_path, 10_000_000)
    again.open()
    found = list(again.waiting())
    assert [one.ae_title for one in found] == ["CT1", "../../ETC", "A B"]
    assert again.held_bytes == 30
    kept = again.keep(found[0], "../..", "..", "1.2.3")
    assert kept.is_relative_to(tmp_path / "kept")
    again.refuse(found[1])
    again.done(found[2])
    assert (again.refused(), again.held_bytes, list(again.waiting())) == (1, 20, [])


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    """A small spool, and a process that is killed while a scanner sends: what was acknowledged is on record afterwards."""
    server = with_port(Server(tmp_path), SLIPRING_DICOM_SPOOL_MB="4", SLIPRING_DICOM_SECONDS="10")
    try:
        server.start(seconds=120)
        port = int(server.environment["SLIPRING_DICOM_PORT"])
        reports = [a_dose_report(str(100 + n), PatientID=f"K-{n}") for n in range(30)]
        with associated(port) as scanner:
            large = an_image(PixelData=bytes(5_000_000), Rows=2500, Columns=1000)
            assert int(scanner.send_c_store(large).Status) == 0xA700, "there is no room for it"
            acknowledged = []
            for number, report in enumerate(reports):
                if number == 20:
                    server.kill()
                try:
                    status = scanner.send_c_store(report)
                except RuntimeError:
                    break  # no association any more
                if "Status" not in status:
                    break
                acknowledged.append((report, int(status.Status)))
        kept = [report for report, status in acknowledged if status == 0]
        assert 0 < len(kept) <= 20
        server.start(seconds=120)
        with server.department() as http:
            for report in kept:
                query = f"/fhir/Observation?identifier=urn:dicom:uid|urn:oid:{report.SOPInstanceUID}"
                until(partial(_found, http, query))
        assert not list((server.data_dir / "dicom" / "incoming").iterdir())
    finally:
        server.stop()
        stop(server.data_dir)
        shutil.rmtree(server.data_dir, ignore_errors=True)

"""A phantom series sent by a scanner becomes a round of tests to be reviewed, over a real association."""

from __future__ import annotations

import base64

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.dicom.scheduled import Hospital
from tests.dicom.test_storage import sent, until
from tests.support.phantoms import Phantom


def a_series() -> list[Dataset]:
    """Two slices of a water phantom."""
    study, series = generate_uid(), generate_uid()
    made = [Phantom(matrix=128, water_hu=1.0, noise_hu=3.0, seed=number).dataset() for number in (1, 2)]
    for image in made:
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.PatientID, image.PatientName = "QA-WATER", "PHANTOM^WATER"
        image.AcquisitionDate, image.AcquisitionTime = "20260302", "081500"
    return made


@pytest.mark.clause("5.6.2.3")
def test_a_phantom_series_becomes_one_round_with_values_and_picture(port: int, hospital: Hospital) -> None:
    series = a_series()
    assert sent(port, *series) == [0, 0]
    query = f"Task?identifier=urn:dicom:uid|urn:oid:{series[0].SeriesInstanceUID}"
    [task] = until(lambda: hospital.found(query))
    assert task["focus"] == {"reference": f"Device/{hospital.scanners['CT1']['id']}"}
    assert task["businessStatus"]["coding"][0]["code"] == "measured"
    assert task["executionPeriod"]["end"] == "2026-03-02T00:15:00.000Z", "the scanner's clock is the department's"
    given = [(one["type"]["coding"][0]["code"], one["valueReference"]["reference"]) for one in task["output"]]
    values = hospital.found(f"Observation?identifier={task_system()}|{task['id']}")
    assert {f"Observation/{one['id']}" for one in values} == {place for code, place in given if code == "test-result"}
    assert {one["status"] for one in values} == {"preliminary"}
    [water] = [one for one in values if one["code"]["coding"][0]["code"] == "water"]
    assert float(water["valueQuantity"]["value"]) == pytest.approx(1.0, abs=0.5)
    [picture] = [place for code, place in given if code == "picture"]
    [document] = hospital.found(f"DocumentReference?_id={picture.partition('/')[2]}")
    assert base64.b64decode(document["content"][0]["attachment"]["data"]).startswith(b"\x89PNG")
    assert sent(port, *series) == [0, 0]
    other = a_series()
    assert sent(port, *other, calling="CT2") == [0, 0]
    until(lambda: hospital.found(f"Task?identifier=urn:dicom:uid|urn:oid:{other[0].SeriesInstanceUID}"))
    assert len(hospital.found(query)) == 1


def task_system() -> str:
    """The identifier that ties a value to its round."""
    return "https://slipring.example/fhir/sid/qc-round"

"""A dose report over HTTP, the cumulative view of the patient, and the review of a group (CNAS-CL02-A011 5.6.2.3)."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from pydicom.dataset import Dataset
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.dose import a_report, an_event
from tests.support.image_header import over_the_wire
from tests.support.one_exam import OneExam, one_exam, rules

_CHEST = "T-D3000"


def as_file(report: Dataset) -> str:
    """The report as the bytes of a DICOM file, in base64."""
    report.ValueType = "CONTAINER"
    buffer = BytesIO()
    over_the_wire(report).save_as(buffer, enforce_file_format=True)
    return base64.b64encode(buffer.getvalue()).decode()


async def taken(story: OneExam, report: Dataset, **more: Any) -> dict[str, Any]:
    report.AccessionNumber = story.cast.imaging_number
    body = parameters(report=("Base64Binary", as_file(report)), **more)
    answer = await story.department.post("Observation/$take-dose-report", body)
    assert answer.status_code == 200, answer.text
    observation: dict[str, Any] = answer.json()
    return observation


@pytest.mark.clause("5.6.2.3 images")
async def test_the_dose_of_an_exam_is_stored_once_seen_with_the_patient_and_reviewed_in_its_group(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested(code={"coding": [{"system": "http://loinc.org", "code": "24627-2"}]})
    first, second = (
        an_event("16.00", "400.10", uid="2.25.1", region=_CHEST),
        an_event("8", "90", uid="2.25.2", region=_CHEST),
    )
    observation = await taken(story, a_report(first, total="400.10", uid="2.25.91"))
    again = await taken(story, a_report(first, total="400.10", uid="2.25.91"))
    assert again["id"] == observation["id"] and again["meta"]["versionId"] == "1"
    both = await taken(story, a_report(first, second, total="490.10", uid="2.25.92"))
    assert both["id"] == observation["id"] and both["status"] == "amended"
    [stored] = await department.found(f"Observation?based-on={story.cast.exam}&code=73569-6")
    assert stored["component"][0]["valueQuantity"]["value"] == 490.10

    patient = stored["subject"]["reference"]
    told = await department.post(f"{patient}/$dose", parameters())
    assert told.status_code == 200, told.text
    values = {part["name"]: part for part in told.json()["parameter"]}
    assert values["exams"]["valueInteger"] == 1
    assert values["dlp"]["valueQuantity"]["value"] == 490.10
    assert values["effectiveDose"]["valueQuantity"]["value"] == 6.86  # 0.014 * 490.10
    wrong = await department.post(f"{patient}/$dose", parameters(months=("Integer", 0)))
    assert wrong.status_code == 400 and "order.months-unfit" in rules(wrong)

    day = stored["effectiveDateTime"][:10]
    period = {"periodStart": ("Date", day), "periodEnd": ("Date", day)}
    review = await department.post("Measure/$review-doses", parameters(**period))
    assert review.status_code == 200, review.text
    report = review.json()
    assert (await department.post("MeasureReport/$validate", report)).json()["issue"][0]["severity"] != "error"
    mine = [group for group in report["group"] if group["measureScore"]["value"] == 16]
    [group] = mine
    parts = {part["url"]: part for part in group["extension"][0]["extension"]}
    assert parts["verdict"]["valueCode"] == "too-few", "one patient is no group"
    assert parts["p75"]["valueDecimal"] == 15 and "confirmed" in parts
    members = {each["id"]: each for each in report["contained"]}
    listed = members[group["population"][0]["subjectResults"]["reference"][1:]]
    assert listed["entry"] == [{"item": {"reference": f"Observation/{stored['id']}"}}]


async def test_what_is_no_dose_report_is_refused_by_name(department: Department) -> None:
    for given in ("bm90IERJQ09N", base64.b64encode(b"\0" * 132 + b"\x08\0\x16\0UI").decode()):
        answer = await department.post("Observation/$take-dose-report", parameters(report=("Base64Binary", given)))
        assert answer.status_code == 422, answer.text
        assert rules(answer) == {"order.not-a-dose-report"}
    unknown = parameters(
        report=("Base64Binary", as_file(a_report(an_event()))), imagingNumber=("String", "CT20260303999999")
    )
    answer = await department.post("Observation/$take-dose-report", unknown)
    assert answer.status_code == 422 and rules(answer) == {"order.no-exam-of-this-number"}, answer.text

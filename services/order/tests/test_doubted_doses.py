"""A dose report that contradicts itself: kept as it is, with a finding, a note, and a row in the verdict on its clause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Call, Resource
from slipring.verdicts.wire import said
from slipring_order import resources
from slipring_order.clauses.answering import CLAUSES
from slipring_order.dose.taking import take_dose_report
from slipring_order.rules import DOSE_IN_DOUBT

from tests.support.desk import ADesk
from tests.support.dose import a_report, an_event
from tests.support.ordering import NOW, a_desk, a_request, received

CHEST = "T-D3000"


async def taken(desk: ADesk, uid: str, total: str, number: str, day: str) -> Resource:
    report = a_report(an_event(uid=f"{uid}.1", region=CHEST), total=total, uid=uid)
    report.AccessionNumber, report.PatientID = number, "A1"
    report.ContentDate, report.ContentTime = day, "120000"
    changes = await take_dose_report(report, desk)
    desk.carry_out(changes)
    assert changes.answer
    return changes.answer


async def doubts_about(desk: ADesk, place: str) -> list[Resource]:
    found = [one.resource for one in await desk.search(f"DetectedIssue?implicated={place}")]
    return [one for one in found if rule_of(one) == DOSE_IN_DOUBT]


async def judged(desk: ADesk) -> tuple[int, int]:
    """Dose records looked at by the clause, and those in doubt."""
    first = (NOW - timedelta(days=10)).date().isoformat()
    given = [
        {"name": "clause", "valueString": "5.6.2.3 images"},
        {"name": "periodStart", "valueDate": first},
        {"name": "periodEnd", "valueDate": (NOW + timedelta(days=10)).date().isoformat()},
    ]
    changes = await CLAUSES.told(Call({"resourceType": "Parameters", "parameter": given}), desk)
    assert changes.answer
    rows = [
        said(part) for row in changes.answer["parameter"] for part in row.get("part", []) if part["name"] == "check"
    ]
    [told] = [row for row in rows if row["code"] == "dose-reports-agree"]
    return told["population"], told["exceptions"]


@pytest.mark.clause("5.6.2.3 images")
async def test_a_report_that_contradicts_itself_is_kept_with_a_finding_and_a_note_and_breaks_its_clause() -> None:
    desk = a_desk()
    await received(desk, a_request())
    exam = await desk.read("ServiceRequest/o-req")
    assert exam
    number = resources.number_of(exam.resource)
    whole = await taken(desk, "9.1", "100", number, "20260302")
    assert not await doubts_about(desk, exam.reference), "a report that agrees with itself is not doubted"
    assert len(whole["note"]) == 1 and await judged(desk) == (1, 0)
    after = await taken(desk, "9.2", "900", number, "20260303")
    [issue] = await doubts_about(desk, exam.reference)
    assert {"reference": f"Observation/{after['id']}"} in issue["implicated"] and issue["severity"] == "moderate"
    assert "总 DLP 900 与各次照射之和 100.0" in issue["detail"]
    assert "total DLP 900 differs from the 100.0" in after["note"][1]["text"]
    assert "total DLP 1000" in after["valueString"], "what the scanner states is kept"
    assert await judged(desk) == (1, 1)
    last = await taken(desk, "9.3", "100", number, "20260304")
    assert last["note"][1:] == after["note"][1:], "a later report takes no doubt away"
    assert len(await doubts_about(desk, exam.reference)) == 1
    desk.hold({**issue, "mitigation": [{"action": {"text": "checked with the vendor"}}]})
    assert await judged(desk) == (1, 0), "answered"


async def test_a_doubt_about_a_report_of_no_known_exam_goes_to_the_exam_once_it_is_named() -> None:
    desk = a_desk()
    await received(desk, a_request())
    kept = await taken(desk, "9.1", "900", "X-1", "20260302")
    [before] = await doubts_about(desk, f"Observation/{kept['id']}")
    exam = await desk.read("ServiceRequest/o-req")
    desk.carry_out(await take_dose_report(a_report(an_event(uid="9.1.1"), total="900", uid="9.1"), desk, exam))
    [issue] = await doubts_about(desk, "ServiceRequest/o-req")
    assert (issue["id"], issue["patient"]) == (before["id"], {"reference": "Patient/o-pat"})
    assert len(await doubts_about(desk, f"Observation/{kept['id']}")) == 1

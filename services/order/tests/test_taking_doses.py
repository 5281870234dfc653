"""Dose reports arrive: one Observation per study, nothing counted twice, estimates with their caveats."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydicom.dataset import Dataset
from slipring.fhir.caller import Caller
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource
from slipring_order import resources
from slipring_order.dose.exposure import exam_doses, exposure
from slipring_order.dose.stored import as_report
from slipring_order.dose.taking import take_dose_report
from slipring_order.handlers.exposures import dose_asked

from tests.support.desk import ADesk
from tests.support.dose import a_code, a_number, a_report, an_event, an_item
from tests.support.ordering import NOW, a_desk, a_patient, a_request, received

ZONE = ZoneInfo("Asia/Shanghai")
CHEST = "T-D3000"


async def the_department() -> tuple[ADesk, str]:
    desk = a_desk()
    await received(desk, a_request())
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    return desk, resources.number_of(stored.resource)


async def taken(desk: ADesk, report: Dataset, number: str, at: str = "20260302") -> Resource:
    report.AccessionNumber, report.PatientID = number, "A1"
    report.ContentDate, report.ContentTime = at, "120000"
    changes = await take_dose_report(report, desk)
    desk.carry_out(changes)
    assert changes.answer
    return changes.answer


def component(observation: Resource, code: str) -> Any:
    parts = [p for p in observation["component"] if p["code"]["coding"][0]["code"] == code]
    return parts[0].get("valueQuantity", {}).get("value", parts[0].get("valueInteger")) if parts else None


@pytest.mark.clause("5.6.2.3 images")
async def test_a_dose_report_becomes_the_dose_of_its_exam_with_an_estimate_that_says_what_it_is() -> None:
    desk, number = await the_department()
    observation = await taken(desk, a_report(an_event(uid="1.1", region=CHEST)), number)
    assert observation["basedOn"] == [{"reference": "ServiceRequest/o-req"}]
    assert observation["subject"] == {"reference": "Patient/o-pat"}
    assert component(observation, "113813") == Decimal("100.0")
    assert (component(observation, "113839"), component(observation, "113840")) == (Decimal("1.40"), Decimal("0.014"))
    assert "not this person's dose" in observation["note"][0]["text"] and "AAPM" in observation["note"][0]["text"]


async def test_cumulative_and_continued_reports_of_a_study_count_each_event_once() -> None:
    desk, number = await the_department()
    first, second, third = (an_event(uid=f"1.{n}", dlp=f"{n}00.5", region=CHEST) for n in (1, 2, 3))
    await taken(desk, a_report(first, total="100.5", uid="9.1"), number)
    await taken(desk, a_report(first, second, total="301.0", uid="9.2"), number)  # cumulative: tells the first again
    await taken(desk, a_report(third, total="300.5", uid="9.3"), number)  # continued: tells the new one only
    await taken(desk, a_report(first, total="100.5", uid="9.1"), number)  # and one came twice
    [stored] = await desk.search("Observation?based-on=ServiceRequest/o-req")
    assert component(stored.resource, "113813") == Decimal("601.5")
    assert component(stored.resource, "113812") == 3
    assert stored.resource["status"] == "amended" and stored.version == 3
    [exam] = exam_doses([stored.resource], ZONE)
    assert exam.dlp_mgy_cm == Decimal("601.5")


async def test_a_late_first_report_changes_nothing_but_is_known() -> None:
    desk, number = await the_department()
    first, second = an_event(uid="1.1", region=CHEST), an_event(uid="1.2", region=CHEST)
    await taken(desk, a_report(first, second, total="200.0", uid="9.2"), number, "20260302")
    observation = await taken(desk, a_report(first, uid="9.1"), number, "20260301")
    assert component(observation, "113813") == Decimal("200.0")
    assert {"system": "urn:dicom:uid", "value": "urn:oid:9.1"} in observation["identifier"]


async def test_totals_of_the_whole_study_hold_the_earlier_ones_in_whatever_order_they_come() -> None:
    def cumulative(uid: str, total: str) -> Dataset:
        report = a_report(total=total, uid=uid)
        report.ContentSequence[0].ContentSequence.append(an_item("113705", value=a_code("113014", "Study")))
        return report

    for order in (("200", "300"), ("300", "200")):
        desk, number = await the_department()
        for total in order:
            at = "20260302" if total == "300" else "20260301"
            observation = await taken(desk, cumulative(f"9.{total}", total), number, at)
        assert component(observation, "113813") == Decimal(300)


async def test_events_without_a_uid_count_once_though_a_stored_one_keeps_milliseconds() -> None:
    def begun(dlp: str) -> Dataset:
        event = an_event(dlp=dlp, region=CHEST)
        at = an_item("111526")
        at.DateTime = "20260302100000.123456"
        event.ContentSequence.append(at)
        return event

    desk, number = await the_department()
    await taken(desk, a_report(begun("200"), total="200", uid="9.1"), number)
    observation = await taken(desk, a_report(begun("200"), begun("100"), total="300", uid="9.2"), number, "20260303")
    assert (component(observation, "113813"), component(observation, "113812")) == (Decimal(300), 2)


async def test_a_later_report_takes_nothing_from_what_the_first_one_said() -> None:
    desk, number = await the_department()
    first = an_event(uid="1.1", region=CHEST)
    first.ContentSequence[1].ContentSequence += [
        an_item("113835", value=a_code("x-1", "IEC Head Dosimetry Phantom")), a_number("113839", "3", "mSv"),
    ]  # fmt: skip
    first.ContentSequence.append(an_item("113822", a_number("113733", "120", "kV"), a_number("113734", "80", "mA")))
    before = await taken(desk, a_report(first, uid="9.1"), number)
    after = await taken(desk, a_report(an_event(uid="1.2", region=CHEST), uid="9.2"), number, "20260303")
    assert after["contained"][0] == before["contained"][0]
    again = as_report(after, ZONE).events[0]
    assert (again.kvp_kv, again.effective_dose_msv, again.phantom_cm) == ((Decimal(120),), Decimal(3), 16)


async def test_a_kept_report_is_tied_to_its_exam_when_somebody_names_it_and_stays_so() -> None:
    desk, _ = await the_department()
    kept = await taken(desk, a_report(an_event(uid="1.1"), uid="9.1"), "X-1")
    exam = await desk.read("ServiceRequest/o-req")
    changes = await take_dose_report(a_report(an_event(uid="1.1"), uid="9.1"), desk, exam)
    desk.carry_out(changes)
    assert changes.answer and changes.answer["id"] == kept["id"]
    assert changes.answer["basedOn"] == [{"reference": "ServiceRequest/o-req"}]
    assert sum("9.1" in one["value"] for one in changes.answer["identifier"]) == 1
    later = await taken(desk, a_report(an_event(uid="1.2"), uid="9.2"), "X-1", "20260303")
    assert later["basedOn"] == [{"reference": "ServiceRequest/o-req"}]


@pytest.mark.clause("5.4.6")
async def test_a_report_of_no_known_exam_is_kept_with_a_finding() -> None:
    desk, _ = await the_department()
    observation = await taken(desk, a_report(an_event(uid="1.1")), "X-1")
    assert "basedOn" not in observation or "reference" not in observation["basedOn"][0]
    [issue] = await desk.search(f"DetectedIssue?implicated=Observation/{observation['id']}")
    assert rule_of(issue.resource) == "order.image-exam-known"


async def test_a_dose_above_the_level_is_a_prompt_of_low_severity() -> None:
    desk, number = await the_department()
    await taken(desk, a_report(an_event("16", "500", uid="1.1", region=CHEST), total="500"), number)
    found = await desk.search("DetectedIssue?implicated=ServiceRequest/o-req")
    issues = [each.resource for each in found if rule_of(each.resource).startswith("order.dose-above")]
    assert [issue["severity"] for issue in issues] == ["low"]


async def test_a_childs_body_dose_for_the_large_phantom_is_not_multiplied() -> None:
    desk = a_desk(a_patient(birthDate="2020-01-01"))
    await received(desk, a_request(priority="stat"))
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    event = an_event(uid="1.1", region=CHEST)
    event.ContentSequence[1].ContentSequence.append(an_item("113835", value=a_code("113691", "IEC Body")))
    observation = await taken(desk, a_report(event), resources.number_of(stored.resource))
    assert component(observation, "113839") is None
    assert "32 cm" in observation["note"][0]["text"]


def by_hand(id: str, msv: str, dlp: str = "400", **members: Any) -> Resource:
    def part(code: str, value: str, unit: str) -> Resource:
        system = "http://dicom.nema.org/resources/ontology/DCM"
        quantity = {"value": Decimal(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        return {"code": {"coding": [{"system": system, "code": code}]}, "valueQuantity": quantity}

    return {
        "resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": "Patient/o-pat"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]}, "effectiveDateTime": "2026-01-05",
        "component": [part("113839", msv, "mSv"), part("113813", dlp, "mGy.cm")],
    } | members  # fmt: skip


async def test_the_cumulative_view_counts_what_was_entered_by_hand_and_nothing_twice() -> None:
    desk, number = await the_department()
    report = await taken(desk, a_report(an_event(uid="1.1", region=CHEST)), number)
    desk.hold(by_hand("o-h1", "9", basedOn=[{"reference": "ServiceRequest/o-req"}]))  # the same exam again
    desk.hold(by_hand("o-h2", "5.5"))
    desk.hold(by_hand("o-h3", "7", status="entered-in-error"))
    desk.hold(by_hand("o-h4", "8", effectiveDateTime="2024-12-01"))  # too long ago
    desk.hold(a_patient(id="o-old", link=[{"type": "replaced-by", "other": {"reference": "Patient/o-pat"}}]))
    desk.hold(by_hand("o-h5", "2", subject={"reference": "Patient/o-old"}))  # of a merged record
    changes = await dose_asked(Call({"resourceType": "Parameters"}, await desk.read("Patient/o-pat")), desk)
    assert changes.answer and not changes.save
    told = {part["name"]: part for part in changes.answer["parameter"]}
    assert told["exams"]["valueInteger"] == 3
    assert told["effectiveDose"]["valueQuantity"]["value"] == Decimal("8.90")  # 1.40 + 5.5 + 2
    assert told["dlp"]["valueQuantity"]["value"] == Decimal("900.0")
    assert "lower bound" in told["caveat"]["valueString"]
    exams = [p["part"] for p in changes.answer["parameter"] if p["name"] == "exam"]
    repeated = [part["valueReference"]["reference"] for exam in exams for part in exam if part["name"] == "repeated"]
    assert repeated == ["Observation/o-h1"]
    assert any(part.get("valueReference", {}).get("reference") == f"Observation/{report['id']}" for part in exams[0])


async def test_who_may_not_read_observations_gets_no_dose() -> None:
    desk = a_desk(caller=Caller("a", frozenset({"system/Patient.r"})))
    with pytest.raises(FhirError) as refused:
        await dose_asked(Call({"resourceType": "Parameters"}, await desk.read("Patient/o-pat")), desk)
    assert refused.value.status == 403


def test_two_studies_of_one_request_add_and_two_figures_of_one_study_do_not() -> None:
    request = [{"reference": "ServiceRequest/o-1"}]
    one = by_hand("o-1", "2", basedOn=request, partOf=[{"reference": "ImagingStudy/o-1"}])
    two = by_hand("o-2", "3", basedOn=request, partOf=[{"reference": "ImagingStudy/o-2"}])
    again = by_hand("o-3", "4", partOf=[{"reference": "ImagingStudy/o-2"}], issued="2026-01-06T00:00:00Z")
    assert exposure([one, two], NOW, ZONE).msv == 5
    assert exposure([one, two, again], NOW, ZONE).msv == 6, "the newest figure of a study counts"

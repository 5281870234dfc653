"""What stands around a request: earlier exams in their carriers, sides, institutions, weeks of pregnancy, the form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Resource
from slipring_order.catalogue import items
from slipring_order.facts import OrderFacts
from slipring_order.gathering.form import FORM, questionnaire
from slipring_order.gathering.request import order_facts
from slipring_order.reading import Pool

from tests.support.ordering import a_desk, a_request, findings, received

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2000-03-02"}
MINE = {"subject": {"reference": "Patient/p"}}
CHEST = {"coding": [{"system": "http://loinc.org", "code": "24627-2"}]}


def facts(request: Resource | None = None, *others: Resource, own: frozenset[str] = frozenset()) -> OrderFacts:
    whole = {"resourceType": "ServiceRequest", "id": "r", **MINE} | (request or {})
    pool = Pool()
    pool.add(whole, PATIENT, *others)
    return order_facts(whole, pool, NOW, ZoneInfo("Asia/Shanghai"), own)


def a_study(id: str = "s", at: str = "2026-02-20T08:00:00+08:00", **members: Any) -> Resource:
    series = [{"modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}]
    return {
        "resourceType": "ImagingStudy",
        "id": id,
        "status": "available",
        "started": at,
        **MINE,
        "series": series,
    } | members


def a_report(**members: Any) -> Resource:
    return {"resourceType": "DiagnosticReport", "id": "d", "status": "final", "code": CHEST, **MINE} | members


def an_observation(code: str, at: str = "2026-03-01", **members: Any) -> Resource:
    coding = {"system": "http://loinc.org", "code": code}
    return {
        "resourceType": "Observation", "id": f"o{code}{at}", "status": "final", "code": {"coding": [coding]},
        "effectiveDateTime": at, **MINE,
    } | members  # fmt: skip


def test_one_examination_in_several_carriers_is_one() -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "e",
        "status": "completed",
        "code": CHEST,
        **MINE,
        "authoredOn": "2026-02-18",
    }
    based = {"basedOn": [{"reference": "ServiceRequest/e"}]}
    linked = a_report(imagingStudy=[{"reference": "ImagingStudy/s"}], effectiveDateTime="2026-02-21")
    [exam] = facts(None, order, a_study(**based), linked).earlier
    assert (exam.reference, exam.result) == ("ImagingStudy/s", "DiagnosticReport/d")
    assert exam.done_at == datetime(2026, 2, 20, tzinfo=UTC)
    [untied] = facts(None, a_study(), a_report(effectiveDateTime="2026-02-20")).earlier
    assert untied.result == "DiagnosticReport/d"
    assert len(facts(None, a_study(), a_study("t")).earlier) == 2
    assert len(facts(None, a_study(), a_report(effectiveDateTime="2026-02-25")).earlier) == 2


def test_a_report_on_this_request_s_images_is_no_earlier_exam() -> None:
    mine = a_study(basedOn=[{"reference": "ServiceRequest/r"}])
    assert facts(None, mine, a_report(imagingStudy=[{"reference": "ImagingStudy/s"}])).earlier == ()


@pytest.mark.parametrize(
    ("study", "side"),
    [
        ({"series": [{"modality": {"code": "CT"}, "bodySite": {"code": "72696002"}, "laterality": {"code": "7771000"}}]}, "left"),
        ({"series": [{"modality": {"code": "CT"}, "bodySite": {"code": "6757004", "display": "Right knee"}}]}, "right"),
    ],
)  # fmt: skip
def test_a_side_comes_from_the_series_or_the_site(study: dict[str, Any], side: str) -> None:
    [exam] = facts(None, a_study(**study)).earlier
    assert (exam.sides, exam.regions) == (frozenset({side}), frozenset({"leg"}))


def test_a_side_is_read_in_words_and_both_is_both() -> None:
    assert facts({"bodySite": [{"text": "左膝"}]}).sides == {"left"}
    assert facts({"bodySite": [{"text": "双膝"}]}).sides == {"left", "right"}
    assert facts({"bodySite": [{"coding": [{"code": "x", "display": "upright brightness"}]}]}).sides == frozenset()


def test_the_institution_is_that_of_the_performer_or_of_who_assigned_the_number() -> None:
    there = {"reference": "Organization/there"}
    assert facts(None, a_study()).earlier[0].elsewhere is False
    assert facts(None, a_report(performer=[there], effectiveDateTime="2026-02-20")).earlier[0].elsewhere is True
    numbered = a_study(identifier=[{"system": "urn:x", "value": "1", "assigner": {"display": "City Hospital"}}])
    assert facts(None, numbered).earlier[0].institution == {"City Hospital"}
    assert facts(None, numbered, own=frozenset({"City Hospital"})).earlier[0].elsewhere is False
    ward: Resource = {"resourceType": "Organization", "id": "ward", "partOf": there}
    asked = {"performer": [{"reference": "Organization/ward"}]}
    assert facts(asked, ward, a_report(performer=[there], effectiveDateTime="2026-02-20")).earlier[0].elsewhere is False


@pytest.mark.parametrize(
    ("observation", "days"),
    [
        (an_observation("8665-2", valueDateTime="2026-01-01"), 60),
        (an_observation("11778-8", valueDateTime="2026-10-08"), 60),
        (an_observation("18185-9", "2026-02-01T04:00:00Z", valueQuantity={"value": 8, "code": "wk"}), 85),
        (an_observation("8665-2", valueDateTime="2024-01-01"), None),
        (an_observation("8665-2", valueDateTime="2026-01-01", status="entered-in-error"), None),
        (an_observation("8665-2", valueDateTime="2026-01-01", subject={"reference": "Patient/q"}), None),
        (an_observation("18185-9", valueQuantity={"value": 8, "code": "kg"}), None),
    ],
)
def test_weeks_come_from_the_period_the_expected_date_or_a_measured_age(
    observation: Resource, days: int | None
) -> None:
    assert facts(None, observation).gestation_days == days


def test_the_newest_statement_on_the_weeks_counts() -> None:
    period, measured = (
        an_observation("8665-2", "2026-01-20", valueDateTime="2026-01-01"),
        an_observation("18185-9", "2026-02-01T04:00:00Z", valueQuantity={"value": 8, "code": "wk"}),
    )
    assert facts(None, measured, period).gestation_days == 85


def test_effective_dose_is_summed_once_per_exam_in_millisievert() -> None:
    def dose(id: str, value: float, unit: str, exam: str, at: str = "2026-01-02T00:00:00Z") -> Resource:
        code = {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "113839"}]}
        component = [{"code": code, "valueQuantity": {"value": value, "code": unit}}]
        based = [{"reference": f"ServiceRequest/{exam}"}]
        return an_observation("73569-6", at, id=id, component=component, basedOn=based)

    found = facts(
        None, dose("a", 3, "mSv", "x"), dose("b", 4, "mSv", "x", "2026-01-03T00:00:00Z"), dose("c", 0.002, "Sv", "y")
    ).doses
    assert sorted(one.effective_msv for one in found) == [2.0, 4.0]
    assert facts(None, dose("a", 3, "mSv", "r")).doses == ()


def test_a_purpose_in_words_is_one_only_when_nothing_else_is_said() -> None:
    assert facts({"reasonCode": [{"text": "入学体检"}]}).purpose == "health-check"
    assert facts({"reasonCode": [{"text": "体检发现肺结节"}]}).purpose == ""


def test_several_phases_are_told_by_the_code_or_in_words() -> None:
    assert facts({"code": {"coding": [{"system": "http://loinc.org", "code": "30598-7"}]}}).multiphase
    assert facts({"code": {"text": "肝脏三期增强"}}).multiphase and not facts({"code": CHEST}).multiphase


@pytest.mark.clause("5.4.3 e +")
async def test_the_request_form_states_every_item_that_no_resource_carries() -> None:
    desk = a_desk()
    await received(desk, a_request(note=None))
    assert findings(desk) == {"order.request-complete"}
    form = await desk.read("Questionnaire/o-ct-request-1")
    assert form and form.resource["url"] == FORM
    wanted = [code for code, item in items().items() if item.clause.startswith("CL02-A011")]
    answers = [{"linkId": code, "answer": [{"valueString": "无异常"}]} for code in wanted]
    response = {
        "resourceType": "QuestionnaireResponse", "id": "o-form", "status": "completed", "questionnaire": f"{FORM}|1",
        "subject": {"reference": "Patient/o-pat"}, "basedOn": [{"reference": "ServiceRequest/o-req"}], "item": answers,
    }  # fmt: skip
    desk.hold(response | {"status": "in-progress"})
    await received(desk, a_request(note=None))
    assert findings(desk) == {"order.request-complete"}
    desk.hold(response)
    await received(desk, a_request(note=None))
    assert findings(desk) == set()


def test_the_form_asks_for_each_item_that_may_be_stated_in_words() -> None:
    asked = {item["linkId"] for item in questionnaire()["item"]}
    assert {code for code, item in items().items() if item.clause.startswith("CL02-A011")} <= asked


def test_pregnancy_may_be_answered_on_the_form() -> None:
    answer = {"linkId": "pregnancy", "answer": [{"valueCoding": {"system": "http://loinc.org", "code": "LA26683-5"}}]}
    form: Resource = {
        "resourceType": "QuestionnaireResponse", "id": "f", "status": "completed", "questionnaire": FORM, **MINE,
        "basedOn": [{"reference": "ServiceRequest/r"}], "authored": "2026-03-01T00:00:00Z", "item": [answer],
    }  # fmt: skip
    assert facts(None, form).pregnancy == "not-pregnant"
    assert facts(None, form | {"status": "in-progress"}).pregnancy == ""

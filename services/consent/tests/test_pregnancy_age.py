"""A "not pregnant" holds for some days, which are data; after that the patient is asked again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Arrival, Call, Resource
from slipring_consent.department import limits_of
from slipring_consent.gate.weighing import judged
from slipring_consent.handlers.exam_changes import task_arrived
from slipring_consent.handlers.populate import populated
from slipring_consent.reading import instant
from slipring_consent.resources import EXAM_STATE

from tests.support.contrast import EXAM, PATIENT, a_cleared_department, a_department, a_screening, an_egfr, an_injection
from tests.support.desk import A_NOON, ADesk
from tests.support.screening import LOINC, coded, known

YOUNG = {"resourceType": "Patient", "id": "o-pat", "birthDate": "1996-03-02", "gender": "female"}
PREGNANT, NOT_PREGNANT = "LA15173-0", "LA26683-5"
DAYS = limits_of(ADesk(letter="c")).limit("pregnancy.denied_days").value
ASKED = "consent.pregnancy-asked"


def stated(code: str, at: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": f"o-p{at}", "status": "final", "subject": PATIENT,
        "code": coded(LOINC, "82810-3"), "effectiveDateTime": at, "valueCodeableConcept": coded(LOINC, code),
    } | members  # fmt: skip


def before(**ago: int) -> str:
    return instant(A_NOON - timedelta(**ago))


def the_day(ago: int) -> str:
    return (date(2026, 3, 2) - timedelta(days=ago)).isoformat()


def answered(at: str) -> Resource:
    return {**a_screening(pregnancy="N"), "authored": at}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("records", "answers", "pregnancy"),
    [
        ([stated(NOT_PREGNANT, before(days=DAYS, hours=-1))], None, "no"),
        ([stated(NOT_PREGNANT, before(days=DAYS, hours=1))], None, "unknown"),
        ([stated(NOT_PREGNANT, the_day(DAYS))], None, "no"),
        ([stated(NOT_PREGNANT, the_day(DAYS + 1))], None, "unknown"),
        ([stated(NOT_PREGNANT, "2025")], None, "unknown"),
        ([stated(NOT_PREGNANT, "2036-01-01")], None, "unknown"),
        ([], answered(before(days=DAYS, hours=-1)), "no"),
        ([], answered(before(days=DAYS, hours=1)), "unknown"),
        ([stated(NOT_PREGNANT, before(days=1))], answered(before(days=40)), "no"),
        ([stated(NOT_PREGNANT, before(days=40))], answered(before(days=1)), "no"),
        ([stated(PREGNANT, before(days=40))], answered(before(days=1)), "yes"),
        ([stated(PREGNANT, before(days=300))], None, "yes"),
        ([stated(PREGNANT, before(days=800))], None, "unknown"),
        ([stated(PREGNANT, before(days=800))], answered(before(days=1)), "no"),
    ],
)
def test_who_is_not_pregnant_is_so_for_some_days_and_who_is_for_no_longer_than_a_pregnancy_lasts(
    records: list[Resource], answers: Resource | None, pregnancy: str
) -> None:
    assert known(YOUNG, *records, response=answers).pregnancy == pregnancy


def test_answers_without_a_time_are_told_now() -> None:
    answers = {name: value for name, value in answered("").items() if name != "authored"}
    assert known(YOUNG, response=answers).pregnancy == "no"


def a_woman_screened(at: str) -> ADesk:
    desk = a_cleared_department()
    desk.hold(YOUNG, source="order")
    desk.hold({**answered(at), "id": "c-screening"})
    return desk


async def found(desk: ADesk) -> set[str]:
    return {one.rule for one in (await judged(an_injection(), desk)).findings} | {
        str(rule_of(one.resource))
        for one in await desk.search("DetectedIssue?implicated=QuestionnaireResponse/c-screening")
    }


async def comes(desk: ADesk, state: str) -> None:
    """The exam's Task says that the patient is here."""
    prior = await desk.read("Task/o-t")
    task: Resource = {
        "resourceType": "Task", "id": "o-t", "status": "ready", "intent": "order", "focus": {"reference": EXAM},
        "code": {"coding": [{"code": "exam"}]}, "businessStatus": coded(EXAM_STATE, state),
    }  # fmt: skip
    stored = desk.hold(task, source="order")
    desk.carry_out(await task_arrived(Arrival("order", task, stored.version, before=prior), desk))


async def asked_again(desk: ADesk) -> int:
    return len(await desk.search(f"Task?code=screening&focus={EXAM}&status=requested"))


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(("days", "asks"), [(1, 0), (DAYS + 1, 1)])
async def test_an_old_answer_is_asked_again_once_when_the_patient_comes(days: int, asks: int) -> None:
    desk = a_woman_screened(before(days=days))
    await comes(desk, "scheduled")
    assert await asked_again(desk) == 0
    await comes(desk, "arrived")
    assert await asked_again(desk) == asks
    assert (ASKED in await found(desk)) == bool(asks)
    await comes(desk, "ready")
    assert await asked_again(desk) == asks


async def test_a_kidney_that_was_measured_too_long_ago_is_asked_for_when_the_patient_comes() -> None:
    desk = a_woman_screened(before(days=1))
    desk.hold(an_egfr(60, 89) | {"id": "o-egfr"}, source="order")
    await comes(desk, "arrived")
    assert await asked_again(desk) == 0
    desk.hold(an_egfr(60, 200) | {"id": "o-egfr"}, source="order")
    await comes(desk, "received")
    await comes(desk, "ready")
    assert await asked_again(desk) == 1


@pytest.mark.parametrize(("days", "code"), [(1, "N"), (DAYS + 2, None)])
async def test_an_old_no_is_left_to_be_asked_on_the_form(days: int, code: str | None) -> None:
    desk = a_department(YOUNG, stated(NOT_PREGNANT, before(days=days)))
    call = Call({"resourceType": "Parameters", "parameter": [{"name": "subject", "valueReference": PATIENT}]})
    answer = (await populated(call, desk)).answer
    assert answer is not None
    [item] = [one for one in answer["parameter"][0]["resource"]["item"] if one["linkId"] == "pregnancy"]
    assert [one["valueCoding"]["code"] for one in item.get("answer", [])] == ([code] if code else [])

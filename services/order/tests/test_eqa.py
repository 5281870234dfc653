"""Rounds of comparison with others: planned, answered, judged by their criterion; what is owed of each system (5.6.3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Resource, Write
from slipring.verdicts.wire import said
from slipring_order.clauses.answering import CLAUSES
from slipring_order.eqa.form import answers, eqa_questionnaire, kinds
from slipring_order.eqa.standing import verdict_of
from slipring_order.handlers.due import due_told
from slipring_order.handlers.eqa import round_planned, round_recorded
from slipring_order.handlers.eqa_told import programme_told
from slipring_order.handlers.satisfaction import response_taken

from tests.support.desk import ADesk
from tests.support.ordering import a_desk
from tests.support.staffing import a_document, a_member

pytestmark = pytest.mark.clause("5.6.3")
LEAD, CLERK = "Practitioner/o-lead", "Practitioner/o-clerk"
SYSTEMS = ("B1", "B2", "B3", "B4", "B5", "B6")
TODAY = date(2026, 3, 3)  # by the department's clock


def an_eqa_desk(*more: Resource) -> ADesk:
    people = [
        *a_member("o-lead", "associate-chief-physician", roles=("quality-manager",)),
        *a_member("o-clerk", "attending-physician", roles=("radiologist",)),
    ]
    return a_desk(*people, *more)


def given(who: str = LEAD, **values: Any) -> Resource:
    types = {
        "kind": "Code",
        "system": "Code",
        "criterion": "Code",
        "said": "Code",
        "score": "Decimal",
        "inError": "Boolean",
    }
    types |= {"due": "Date", "sent": "Date", "returned": "Date", "certificate": "Reference", "year": "Integer"}
    parts = [
        {"name": name, f"value{types.get(name, 'String')}": one}
        for name, value in values.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return {
        "resourceType": "Parameters",
        "parameter": [*parts, {"name": "performer", "valueReference": {"reference": who}}],
    }


PLAN = {
    "kind": "proficiency-testing", "scheme": "省质控中心", "partner": "省内唯一计划", "system": SYSTEMS,
    "exam": ["头颅平扫"], "due": "2026-03-10",
}  # fmt: skip
RESULT = {"sent": "2026-02-20", "returned": "2026-03-01", "criterion": "percent", "score": Decimal("92.5")}


async def plan(desk: ADesk, **members: Any) -> Resource:
    changes = await round_planned(Call(given(**PLAN | members)), desk)
    desk.carry_out(changes)
    assert changes.answer is not None
    return changes.answer


async def record(desk: ADesk, round: Resource, **values: Any) -> Changes:
    held = await desk.read(f"QuestionnaireResponse/{round['id']}")
    changes = await round_recorded(Call(given(**values), held), desk)
    desk.carry_out(changes)
    return changes


async def owed(desk: ADesk) -> dict[str, str]:
    answer = (await due_told(Call({"resourceType": "Parameters"}), desk)).answer or {}
    lines = [{one["name"]: one for one in item["part"]} for item in answer["parameter"] if item["name"] == "item"]
    return {
        code: line["state"]["valueCode"]
        for line in lines
        if (code := str(line["what"]["valueCoding"]["code"])).startswith("eqa-")
    }


async def judged(desk: ADesk, code: str) -> tuple[str, list[str]]:
    asked = [
        {"name": "clause", "valueString": "5.6.3"},
        {"name": "periodStart", "valueDate": "2026-01-01"},
        {"name": "periodEnd", "valueDate": "2026-03-31"},
    ]
    answer = (await CLAUSES.told(Call({"resourceType": "Parameters", "parameter": asked}), desk)).answer or {}
    [row] = [one for one in answer["parameter"] if one["name"] == "clause"]
    [check] = [one for one in row["part"] if one["name"] == "check" and said(one)["code"] == code]
    faults = [said(one) for one in check["part"] if one["name"] == "exception"]
    return str(said(check)["verdict"]), [str(one.get("en", one)) for one in faults]


@pytest.mark.parametrize(
    ("criterion", "score", "word", "verdict"),
    [
        ("percent", "80", "", "acceptable"),
        ("percent", "79.9", "", "unacceptable"),
        ("z-score", "-2", "", "acceptable"),
        ("z-score", "-2.1", "acceptable", "unacceptable"),
        ("percent", "95", "unacceptable", "unacceptable"),
        ("", "", "acceptable", "acceptable"),
        ("", "", "", ""),
    ],
)
def test_a_round_comes_to_what_its_criterion_and_the_organiser_say(
    criterion: str, score: str, word: str, verdict: str
) -> None:
    limits = an_eqa_desk().settings.limits.on(TODAY)
    limit = limits.limit(f"eqa.{criterion}") if criterion else None
    assert verdict_of(criterion, Decimal(score) if score else None, limit, word) == verdict


async def test_a_round_is_planned_answered_and_concluded_and_its_certificate_follows() -> None:
    desk = an_eqa_desk(a_document("o-paper", "eqa-programme", "2026-01-01"))
    assert (await owed(desk)) == {f"eqa-b{number}": "missing" for number in range(1, 7)}
    made = await plan(desk)
    assert made["status"] == "in-progress" and set(await owed(desk)) == {f"eqa-b{number}" for number in range(1, 7)}
    answer = (await record(desk, made, sent="2026-02-20")).answer or {}
    assert answer["status"] == "in-progress" and answers(answer)["sent"] == ["2026-02-20"]
    done = (await record(desk, made, **RESULT | {"sent": "2026-02-20"})).answer or {}
    told = answers(done)
    assert (done["status"], told["verdict"]) == ("completed", ["acceptable"])
    assert told["limit"][0].startswith("eqa.percent|") and not await owed(desk)
    assert not list(await desk.search("Task?code=nonconformity"))
    assert (await judged(desk, "rounds-answered"))[0] == "not-met", "no certificate is kept with it"
    assert (await judged(desk, "compared-outside"))[0] == "met"
    paper = {"reference": "DocumentReference/o-paper"}
    assert ((await record(desk, made, certificate=paper)).answer or {})["status"] == "amended"
    assert (await judged(desk, "rounds-answered"))[0] == "met"
    with pytest.raises(FhirError) as refused:
        await record(desk, made, score=Decimal(99), criterion="percent")
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.eqa-concluded")
    await record(desk, made, inError=True, note="他科的结果")
    assert set(await owed(desk)) == {f"eqa-b{number}" for number in range(1, 7)}, "it counts for nothing"


async def test_what_is_not_acceptable_opens_a_nonconformity_and_fails_its_systems_alone() -> None:
    desk = an_eqa_desk()
    for kind, systems, score in (("concordance", SYSTEMS, 90), ("case-meeting", ("B2", "B4"), 60)):
        made = await plan(desk, kind=kind, system=systems)
        days = {"sent": "2026-02-01", "returned": "2026-02-02" if kind == "concordance" else "2026-03-01"}
        changes = await record(desk, made, criterion="percent", score=Decimal(score), **days)
    [task] = [one.resource for one in changes.save if one.resource["resourceType"] == "Task"]
    assert task["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.6.3"
    assert task["focus"] == {"reference": f"QuestionnaireResponse/{made['id']}"}
    assert {code: state for code, state in (await owed(desk)).items() if state != "due"} == {
        "eqa-programme": "missing", "eqa-b2": "failed", "eqa-b4": "failed",
    }  # fmt: skip
    verdict, faults = await judged(desk, "compared-outside")
    assert verdict == "not-met" and len(faults) == 3
    answer = (await programme_told(Call(given(year=2026)), desk)).answer or {}
    systems = [said(one) for one in answer["parameter"] if one["name"] == "system"]
    assert [(one["state"], one["rounds"], one["alternative"]) for one in systems[:2]] == [
        ("met", 1, 1),
        ("failed", 2, 2),
    ]
    assert (await programme_told(Call(given(year=2025)), desk)).answer


async def test_a_round_that_nobody_answered_is_told_until_it_is() -> None:
    desk = an_eqa_desk()
    made = await plan(desk, due="2026-02-10")
    assert await judged(desk, "rounds-answered") == ("not-met", ["not answered by 2026-02-10"])
    await record(desk, made, sent="2026-03-02")
    assert (await judged(desk, "rounds-answered"))[0] == "met"


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"kind": "gossip"}, "code"),
        ({"system": ["B9"]}, "system"),
        ({"system": []}, "system"),
        ({"scheme": "  "}, "needed"),
        ({"exam": ["x"] * 31}, "words"),
    ],
)
async def test_a_plan_that_says_too_little_is_refused(members: dict[str, Any], detail: str) -> None:
    desk = an_eqa_desk()
    with pytest.raises(FhirError) as refused:
        await plan(desk, **members)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, f"order.eqa-{detail}")


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"sent": "2026-03-04"}, "order.eqa-day"),
        ({"sent": "2026-03-02", "returned": "2026-03-01"}, "order.eqa-day"),
        ({"sent": "soon"}, "order.whole-day"),
        ({"returned": "2026-03-01", "criterion": "percent"}, "order.eqa-score"),
        ({"returned": "2026-03-01", "criterion": "percent", "score": Decimal(101)}, "order.eqa-score"),
        ({"returned": "2026-03-01", "criterion": "luck", "score": Decimal(1)}, "order.eqa-code"),
        ({"returned": "2026-03-01", "score": Decimal(1)}, "order.eqa-code"),
        ({"certificate": {"reference": "DocumentReference/o-none"}}, "order.eqa-certificate"),
        ({"inError": True}, "order.eqa-needed"),
    ],
)
async def test_a_result_that_cannot_be_is_refused_and_nothing_is_kept(values: dict[str, Any], detail: str) -> None:
    desk = an_eqa_desk()
    made = await plan(desk)
    with pytest.raises(FhirError) as refused:
        await record(desk, made, **values)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, detail)


async def test_a_round_is_kept_by_its_operations_and_by_those_who_may() -> None:
    desk = an_eqa_desk()
    made = await plan(desk)
    with pytest.raises(FhirError) as refused:
        await round_planned(Call(given(CLERK, **PLAN)), desk)
    assert refused.value.status == 403
    held = await desk.read(f"QuestionnaireResponse/{made['id']}")
    assert held is not None
    for write in (
        Write("create", made),
        Write("update", made | {"questionnaire": None}, held),
        Write("delete", made, held),
    ):
        with pytest.raises(FhirError) as refused:
            await response_taken(write, desk)
        assert refused.value.issues[0].detail == "order.eqa-by-operation"
    options = eqa_questionnaire()["item"][0]["answerOption"]
    assert [one["valueCoding"]["code"] for one in options] == list(kinds())

"""Whether the people fit the work of a period (5.1.3), and what became of complaints (4.8)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring.quality import life as quality
from slipring_order import resources
from slipring_order.handlers.figures import complaints_told, staffing_told
from slipring_order.review import measured
from slipring_order.review.complaints import working_days
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.staffing import a_device, a_house, a_member, held

DAYS = some.dates(date(2020, 1, 1), date(2030, 12, 31))
CERTIFIED = [
    held(code, "2019-01-01", "2030-01-01")
    for code in ("radiation-worker-certificate", "ct-equipment-certificate", "competence", "imaging-diagnosis")
]
SCANNER = a_device("o-ct", "x", type={"coding": [{"code": "CT"}]})
WEEK = ("2026-02-16", "2026-02-22")  # Monday to Sunday: six days on which the department is open


def asked(start: str, end: str) -> Call:
    given = [{"name": "periodStart", "valueDate": start}, {"name": "periodEnd", "valueDate": end}]
    return Call({"resourceType": "Parameters", "parameter": given})


def an_exam(id: str, on: str, who: str = "o-t", state: str = "acquired", contrast: str = "not-needed") -> Resource:
    return {
        "resourceType": "Task", "id": id, "status": "completed", "intent": "order",
        "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": "exam"}]},
        "businessStatus": resources.state_concept(state), "owner": {"reference": f"Practitioner/{who}"},
        "executionPeriod": {"start": f"{on}T09:00:00+08:00"}, "authoredOn": f"{on}T08:00:00+08:00",
        "extension": [{"url": resources.CONTRAST_CONDITION, "valueCode": contrast}],
    }  # fmt: skip


def a_report(id: str, on: str, *readers: str) -> Resource:
    return {
        "resourceType": "DiagnosticReport", "id": id, "status": "final", "issued": f"{on}T10:00:00+08:00",
        "resultsInterpreter": [{"reference": f"Practitioner/{who}"} for who in readers],
    }  # fmt: skip


def a_complaint(id: str, on: str, state: str = "opened", changed: str = "") -> Resource:
    status = quality.members(state, ADesk().now)
    return {
        "resourceType": "Task", "id": id, "intent": "order", "description": "等候过久",
        "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": "complaint"}]},
        "authoredOn": f"{on}T08:00:00+08:00", **status, "lastModified": f"{changed or on}T12:00:00+08:00",
    }  # fmt: skip


def a_team() -> list[Resource]:
    return [
        *a_member("o-t", "technologist", *CERTIFIED, roles=("technologist",)),
        *a_member("o-u", "supervising-technologist", *CERTIFIED, roles=("technologist",), since="2026-02-20"),
        *a_member("o-a", "attending-physician", *CERTIFIED, roles=("radiologist", "level-c")),
        *a_member("o-b", "resident-physician", *CERTIFIED, roles=("radiologist", "level-b")),
        *a_member("o-x", "technologist", roles=("other-radiology",)),
    ]


async def groups(desk: ADesk, operation: Any, start: str, end: str) -> tuple[dict[str, Resource], set[str]]:
    changes = await operation(asked(start, end), desk)
    assert changes.answer is not None and not changes.save
    report, *issues = [parameter["resource"] for parameter in changes.answer["parameter"]]
    assert check(report) == [] and [found for issue in issues for found in check(issue)] == []
    return {group["id"]: group for group in report["group"]}, {i["code"]["coding"][0]["code"] for i in issues}


def parts(group: Resource) -> dict[str, Any]:
    return {
        p["url"]: next(v for n, v in p.items() if n.startswith("value")) for p in group["extension"][0]["extension"]
    }


def score(group: Resource) -> float | None:
    return group.get("measureScore", {}).get("value")


def strata(group: Resource) -> dict[str, int]:
    return {
        s["value"]["text"]: s["population"][0]["count"] for one in group.get("stratifier", []) for s in one["stratum"]
    }


@pytest.mark.clause("5.1.3")
async def test_what_one_person_does_in_a_day_is_told_by_duty_title_and_person_with_what_it_is_held_against() -> None:
    exams = [an_exam(f"o-e{n}", "2026-02-18", "o-t" if n % 3 else "o-u") for n in range(30)]
    others = [
        an_exam("o-late", "2026-02-23"),
        an_exam("o-off", "2026-02-18", state="discontinued"),
        an_exam("o-c", "2026-02-18", contrast="cleared"),
    ]
    reports = [a_report(f"r-{n}", "2026-02-19", "o-a", "o-b") for n in range(12)]
    desk = a_house(SCANNER, *a_team(), *exams, *others, *reports)
    found, issues = await groups(desk, staffing_told, *WEEK)
    load = found["technologist-load"]
    # o-t works six days, o-u came on Friday: 31 exams on eight days on duty
    assert [p["count"] for p in load["population"]] == [31, 8] and score(load) == 3.88
    assert strata(load) == {"Practitioner/o-t": 21, "Practitioner/o-u": 10}
    assert strata(found["physician-load"]) == {"Practitioner/o-a": 12, "Practitioner/o-b": 12}
    assert (parts(load)["verdict"], parts(load)["confirmed"], parts(load)["confidence"]) == ("met", False, "U")
    assert parts(load)["reason"].endswith("（默认值未经确认，请确认）")
    assert strata(found["operators-suffice"]) == {"技师": 1, "主管技师": 1} and score(found["operators-suffice"]) == 2
    assert parts(found["physicians-suffice"])["confirmed"] is True
    assert [parts(found[code])["verdict"] for code in ("physicians-suffice", "auxiliary-suffice")] == ["met", "met"]
    assert issues == {"order.nurses-suffice", "order.nurse-load"}
    assert parts(found["nurses-suffice"])["reason"].startswith("开展增强检查 1 例")


@pytest.mark.clause("5.1.3")
async def test_leave_and_a_trainee_take_days_away_and_too_few_people_are_told() -> None:
    leave = [{"description": "休假", "during": {"start": "2026-02-16", "end": "2026-02-20"}}]
    team = [
        *a_member("o-t", "technologist", *CERTIFIED, roles=("technologist",), notAvailable=leave),
        *a_member("o-n", "technologist", *CERTIFIED, roles=("technologist", "trainee")),
    ]
    desk = a_house(SCANNER, *team, *(an_exam(f"o-e{n}", "2026-02-21") for n in range(51)))
    found, issues = await groups(desk, staffing_told, *WEEK)
    assert [p["count"] for p in found["technologist-load"]["population"]] == [51, 1]
    assert {"order.technologist-load", "order.operators-suffice", "order.physicians-suffice"} <= issues
    assert parts(found["physician-load"])["verdict"] == "nothing-counted"


async def test_days_to_come_and_periods_to_come_count_nothing() -> None:
    desk = a_house(SCANNER, *a_team())  # it is Monday, 2 March
    found, _ = await groups(desk, staffing_told, "2026-03-02", "2026-12-31")
    assert [p["count"] for p in found["technologist-load"]["population"]] == [0, 2]
    for start, end, detail in (
        ("2026-03-03", "2026-03-04", "order.review-period-ahead"),
        ("2020-01-01", "2020-02-01", "order.review-before-limits"),
    ):
        with pytest.raises(FhirError) as refused:
            await staffing_told(asked(start, end), desk)
        assert refused.value.issues[0].detail == detail


@pytest.mark.clause("4.8")
async def test_complaints_are_told_for_the_exams_with_the_time_to_their_answers_and_those_still_open() -> None:
    desk = a_house(*(an_exam(f"o-e{n}", "2026-02-18") for n in range(100)))
    for version in (
        a_complaint("o-k1", "2026-02-16"), a_complaint("o-k1", "2026-02-16", "answered", "2026-02-18"),
        a_complaint("o-k1", "2026-02-16", "closed", "2026-02-27"),  # answered in two days, closed long after
        a_complaint("o-k2", "2026-02-17"), a_complaint("o-k2", "2026-02-17", "answered", "2026-02-26"),
        a_complaint("o-k3", "2026-02-18"), a_complaint("o-old", "2025-06-01"),
        a_complaint("o-void", "2026-02-18") | {"status": "entered-in-error"},
    ):  # fmt: skip
        desk.hold(version)
    found, issues = await groups(desk, complaints_told, *WEEK)
    assert score(found["complaint-rate"]) == 30 and score(found["days-to-answer"]) == 4.5
    assert score(found["complaints-answered"]) == 0.33 and score(found["complaints-handled"]) == 0.67
    assert [p["count"] for p in found["complaints-open"]["population"]] == [3]
    assert issues == {"order.complaint-rate", "order.complaints-answered"}
    assert parts(found["complaints-answered"])["reason"].startswith("2 件投诉未在 5 个工作日内答复")
    report = (await complaints_told(asked(*WEEK), desk)).answer["parameter"][0]["resource"]  # type: ignore[index]
    members = {one["reference"]: [e["valueString"] for e in one["extension"]] for one in report["evaluatedResource"]}
    assert members["Task/o-old"] == ["complaints-open"] and "Task/o-void" not in members
    assert members["Task/o-k1"] == ["complaint-rate", "complaints-answered", "complaints-handled"]
    assert report["measure"] == f"{CANONICAL}/Measure/complaints"


@given(DAYS, some.integers(0, 400), some.integers(0, 400))
def test_working_days_add_up(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    assert working_days(start, middle) + working_days(middle, end) == working_days(start, end)
    assert 0 <= working_days(start, end) <= (end - start).days


@pytest.mark.parametrize(
    ("counted", "over", "expected"),
    [
        (0, 1000, "met"),
        (1, 0, "nothing-counted"),
        (0, 0, "nothing-counted"),
        (3, None, "met"),
        (0, None, "nothing-counted"),
    ],
)
def test_a_rate_of_none_in_a_thousand_is_met_and_one_over_nothing_is_no_rate(
    counted: int, over: int | None, expected: str
) -> None:
    limit = OrderSettings().limits.limit("staffing.physicians", on=date(2026, 3, 2))
    assert measured.verdict(measured.Measured("complaint-rate", counted, over, limit=limit), None) == expected

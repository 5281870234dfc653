"""How long reports took: median, 90th percentile, share in time, and the cases behind them (5.8.1)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring_report.clocks.turnaround import Read, percentile, turnarounds
from slipring_report.handlers import turnaround
from slipring_report.worklist.issuing import report_moved
from slipring_report.worklist.reading_task import reading_id

sys.path.insert(0, str(Path(__file__).parent))
from worklist_room import NINE, WorklistRoom, an_exam


def a_read(name: str, took: float | None, group: str = "stat", allowed: float = 30) -> Read:
    issued = None if took is None else NINE + timedelta(minutes=took)
    return Read(f"Task/{name}", NINE, NINE + timedelta(minutes=allowed), issued, group)


def test_a_group_has_its_median_its_p90_and_its_share_and_waiting_exams_are_in_no_share() -> None:
    reads = [a_read(str(took), took) for took in (10, 12, 14, 16, 18, 20, 22, 24, 26, 40)]
    reads += [a_read("waits", None, allowed=120), a_read("late", None), a_read("calm", 50, "routine", 240)]
    found = {one.group: one for one in turnarounds(reads, NINE + timedelta(minutes=60))}
    stat = found["stat"]
    assert (stat.issued, stat.waiting, stat.median, stat.p90) == (10, 1, 19, 26)
    assert stat.share == 9 / 11 and stat.late == ("Task/40", "Task/late")
    assert found[""].issued == 11 and list(found) == ["routine", "stat", ""]


def test_the_spread_is_over_the_allowed_time_and_beyond_it_is_late_and_nothing_else() -> None:
    reads = [a_read(str(took), took) for took in (7.5, 8, 29, 30, 30.5, 61)] + [a_read("waits", None, allowed=120)]
    [stat, _] = turnarounds(reads, NINE + timedelta(minutes=70))
    assert stat.spread == (1, 1, 0, 2, 1, 0, 1) and sum(stat.spread[4:]) == len(stat.late) == 2
    assert stat.interval is not None and 0 < stat.interval.low < 4 / 6 < stat.interval.high < 1


def test_nobody_at_all_is_no_data() -> None:
    [every] = turnarounds([], NINE)
    assert (every.share, every.median, every.p90) == (None, None, None)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_so_large_a_share_does_not_exceed_it(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values) - 1e-9


async def a_day(room: WorklistRoom) -> None:
    """Three exams: two reported, one of them late, and one that waits."""
    for number, (priority, took) in enumerate([("stat", 20), ("stat", 50), ("routine", 0)]):
        request = f"ServiceRequest/o-{number}"
        exam = an_exam(priority=priority, focus={"reference": request}) | {"id": f"o-exam-{number}"}
        await room.told(exam)
        study = {"resourceType": "ImagingStudy", "id": f"o-s{number}", "status": "available"}
        room.desk.hold(study | {"basedOn": [{"reference": request}], "modality": [{"code": "CT"}]}, source="order")
        if took:
            report: Resource = {"resourceType": "DiagnosticReport", "id": f"r-{number}", "status": "final"}
            report |= {"basedOn": [{"reference": request}], "issued": (NINE + timedelta(minutes=took)).isoformat()}
            room.desk.hold(report)
            room.carried(await report_moved(report, room.desk))
    await room.wait(60)


def groups(answer: Resource | None) -> dict[str, dict[str, Any]]:
    assert answer is not None
    found = [{part["name"]: part for part in one["part"]} for one in answer["parameter"] if one["name"] == "group"]
    return {one["of"]["valueString"]: one for one in found}


@pytest.mark.clause("5.8.1")
async def test_the_figures_of_a_day_name_the_late_exams_and_all_members() -> None:
    room = WorklistRoom()
    await a_day(room)
    answer = await room.call(turnaround.turnaround_asked, "")  # the last 30 days
    found = groups(answer.answer)
    assert float(found["stat"]["share"]["valueDecimal"]) == 0.5 and found["routine"]["waiting"]["valueInteger"] == 1
    assert found["stat"]["lateReading"]["valueReference"]["reference"] == f"Task/{reading_id('Task/o-exam-1')}"
    assert float(found["stat"]["medianMinutes"]["valueDecimal"]) == 35 and "share" not in found["routine"]
    assert answer.answer is not None
    [report] = [one["resource"] for one in answer.answer["parameter"] if one["name"] == "report"]
    assert report["measure"].endswith("/Measure/reporting-turnaround") and len(report["evaluatedResource"]) == 2
    assert [one["count"] for one in report["group"][-1]["population"]] == [2, 1]


@pytest.mark.clause("5.8.1")
async def test_every_week_is_told_also_one_without_an_exam_and_what_the_clock_counts() -> None:
    room = WorklistRoom()
    await a_day(room)
    period = {"valuePeriod": {"start": "2026-02-20", "end": "2026-03-03"}}
    said = {"by": {"valueCode": "clock"}, "per": {"valueCode": "week"}, "period": period}
    answer = (await room.call(turnaround.turnaround_asked, "", **said)).answer
    assert answer is not None
    [green] = [
        one["part"] for one in answer["parameter"] if one["name"] == "group" and one["part"][0]["valueString"] == "green-channel"
    ]  # fmt: skip
    spans = [{part["name"]: part for part in one["part"]} for one in green if one["name"] == "span"]
    assert [one["start"]["valueDate"] for one in spans] == ["2026-02-16", "2026-02-23", "2026-03-02"]
    assert "share" not in spans[0] and float(spans[2]["share"]["valueDecimal"]) == 0.5
    assert [spans[2][name]["valueInteger"] for name in ("inTime", "late", "waiting")] == [1, 1, 0]
    [means] = [{part["name"]: part for part in one["part"]} for one in green if one["name"] == "definition"]
    assert means["en"]["valueString"] == "30 min from the end of the exam" and "5.8.1" in means["source"]["valueString"]


@pytest.mark.parametrize(
    ("by", "names"), [("clock", {"green-channel", "ordinary", "all"}), ("modality", {"CT", "all"})]
)
async def test_the_figures_are_by_clock_or_modality_too(by: str, names: set[str]) -> None:
    room = WorklistRoom()
    await a_day(room)
    assert set(groups((await room.call(turnaround.turnaround_asked, "", by={"valueCode": by})).answer)) == names


async def test_a_period_is_by_the_departments_days() -> None:
    room = WorklistRoom()
    await a_day(room)
    for start, end, issued in (("2026-03-02", "2026-03-02", 2), ("2026-02-01", "2026-03-01", 0)):
        period = {"valuePeriod": {"start": start, "end": end}}
        found = groups((await room.call(turnaround.turnaround_asked, "", period=period)).answer)
        assert found["all"]["issued"]["valueInteger"] == issued


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"by": {"valueCode": "weather"}}, "report.work-code"),
        ({"per": {"valueCode": "day"}}, "report.work-code"),
        ({"period": {"valuePeriod": {"start": "2026-03-03", "end": "2026-03-01"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"start": "2020-01-01", "end": "2026-03-01"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"start": "2026"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"start": "2026-03-01T00:00:00"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"end": "9999-12-31"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"end": "0001-01-02"}}}, "report.turnaround-period"),
        ({"period": {"valuePeriod": {"start": "0001-01-01T00:00:00+14:00"}}}, "report.turnaround-period"),
        (
            {"period": {"valuePeriod": {"start": "9999-12-01", "end": "9999-12-31T12:00:00-14:00"}}},
            "report.turnaround-period",
        ),
    ],
)
async def test_what_cannot_be_counted_is_refused_at_its_element(said: dict[str, Any], detail: str) -> None:
    with pytest.raises(FhirError) as refused:
        await WorklistRoom().call(turnaround.turnaround_asked, "", **said)
    [issue] = refused.value.issues
    assert issue.detail == detail and issue.at == "Parameters.parameter[0]" and issue.zh

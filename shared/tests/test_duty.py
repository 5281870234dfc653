"""Change of duty, absence, suspension: when a person must be trained and assessed before working again (5.1.6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring.fhir.service import CANONICAL
from slipring.rules.months import months_later
from slipring.staff import acts, may
from slipring.staff.duty import Span, joined, returns
from slipring.staff.facts import register, titles

DAYS = some.dates(date(2020, 1, 1), date(2030, 12, 31))
SPANS = some.tuples(DAYS, some.integers(0, 800)).map(lambda at: Span(at[0], at[0] + timedelta(days=at[1])))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def a_technologist(**periods: dict[str, str]) -> dict[str, Any]:
    """A technologist who holds everything all the time; by keyword another period of a qualification."""
    always = {"start": "2000-01-01", "end": "2099-01-01"}
    held = dict.fromkeys(("ct-equipment-certificate", "radiation-worker-certificate", "competence"), always)
    held |= {code.replace("_", "-"): period for code, period in periods.items()}
    entries: list[dict[str, Any]] = [
        {"code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-title", "code": "technologist"}]}}
    ]
    system = f"{CANONICAL}/CodeSystem/staff-qualification"
    entries += [{"code": {"coding": [{"system": system, "code": code}]}, "period": span} for code, span in held.items()]
    return {"resourceType": "Practitioner", "id": "o-p", "qualification": entries}


def a_role(code: str, start: str = "", end: str = "", **members: Any) -> dict[str, Any]:
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {
        "resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/o-p"}, "period": period,
        "code": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": code}]}], **members,
    }  # fmt: skip


def a_leave(start: str, end: str) -> dict[str, Any]:
    return {"notAvailable": [{"description": "leave", "during": {"start": start, "end": end}}]}


def lacks(person: dict[str, Any], *roles: dict[str, Any], on: str, act: str = "operate-ct") -> list[str]:
    return [reason.code for reason in may(act, person, roles, noon(date.fromisoformat(on)))]


@pytest.mark.clause("5.1.2")
def test_operating_a_scanner_asks_for_the_post_and_not_for_the_title_alone() -> None:
    assert lacks(a_technologist(), on="2026-03-02") == ["role"]
    assert lacks(a_technologist(), a_role("technologist"), on="2026-03-02") == []
    assert lacks(a_technologist(), a_role("technologist"), a_role("trainee"), on="2026-03-02") == ["trainee"]


@pytest.mark.clause("5.1.6")
def test_competence_that_lapsed_yesterday_operates_nothing_today() -> None:
    person = a_technologist(competence={"start": "2025-03-01", "end": "2026-03-01"})
    assert lacks(person, a_role("technologist"), on="2026-03-01") == []
    assert lacks(person, a_role("technologist"), on="2026-03-02") == ["competence"]


@pytest.mark.clause("5.1.6")
def test_who_is_on_leave_does_not_work_that_day() -> None:
    role = a_role("technologist", **a_leave("2026-03-01", "2026-03-07"))
    assert lacks(a_technologist(), role, on="2026-03-07") == ["absent"]
    assert lacks(a_technologist(), role, on="2026-03-08") == []


@pytest.mark.clause("5.1.6")
@pytest.mark.parametrize(("ends", "expected"), [("2026-06-29", []), ("2026-06-30", ["re-training", "re-assessment"])])
def test_six_months_away_ask_for_training_and_assessment_anew(ends: str, expected: list[str]) -> None:
    role = a_role("technologist", "2019-01-01", **a_leave("2026-01-01", ends))
    assert lacks(a_technologist(), role, on="2026-08-01") == expected


@pytest.mark.clause("5.1.6")
def test_after_a_long_leave_training_alone_is_not_enough_and_both_are() -> None:
    role = a_role("technologist", **a_leave("2026-01-01", "2026-07-31"))
    trained = {"start": "2026-08-02"}
    assert lacks(a_technologist(re_training=trained), role, on="2026-08-10") == ["re-assessment"]
    assessed = {"start": "2026-08-05", "end": "2027-08-05"}
    assert lacks(a_technologist(competence=assessed), role, on="2026-08-10") == ["re-training"]
    assert lacks(a_technologist(re_training=trained, competence=assessed), role, on="2026-08-10") == []
    assert lacks(a_technologist(re_training=trained, competence=assessed), role, on="2026-08-01") == [
        "competence",
        "re-training",
    ]


@pytest.mark.clause("5.1.6")
def test_two_leaves_that_touch_are_one_absence() -> None:
    first, second = a_leave("2026-01-01", "2026-03-31"), a_leave("2026-04-01", "2026-07-31")
    both = {"notAvailable": [*second["notAvailable"], *first["notAvailable"]]}
    assert lacks(a_technologist(), a_role("technologist", **both), on="2026-08-01") == ["re-training", "re-assessment"]


@pytest.mark.clause("5.1.6")
def test_who_comes_from_another_duty_is_trained_and_assessed_first() -> None:
    before = a_role("other-radiology", "2020-01-01", "2026-02-28")
    now = a_role("technologist", "2026-03-01")
    assert lacks(a_technologist(), before, now, on="2026-03-02") == ["re-training", "re-assessment"]
    assert lacks(a_technologist(), before | {"active": False}, now, on="2026-03-02") == ["re-training", "re-assessment"]
    assert lacks(a_technologist(), now, on="2026-03-02") == []


@pytest.mark.clause("5.1.6")
def test_a_post_renewed_without_a_break_is_no_change_and_one_left_for_six_months_is() -> None:
    former = a_role("technologist", "2020-01-01", "2025-06-30")
    assert lacks(a_technologist(), former, a_role("technologist", "2025-07-01"), on="2026-03-02") == []
    assert lacks(a_technologist(), former, a_role("technologist", "2025-12-31"), on="2026-03-02") == []
    assert lacks(a_technologist(), former, a_role("technologist", "2026-01-01"), on="2026-03-02") == [
        "re-training",
        "re-assessment",
    ]


@pytest.mark.clause("5.1.6")
def test_a_suspension_stops_every_duty_and_leaves_other_acts_alone() -> None:
    person = a_technologist(suspension={"start": "2026-03-01"})
    assert lacks(person, a_role("technologist"), on="2026-03-02") == ["suspension"]
    assert lacks(person, a_role("requester"), on="2026-03-02", act="order-ct") == []


@pytest.mark.clause("4.1.1.4")
def test_the_head_is_an_associate_chief_of_ten_years_to_the_day() -> None:
    def physician(title: str, since: str) -> dict[str, Any]:
        person = a_technologist(imaging_diagnosis={"start": since})
        person["qualification"][0]["code"]["coding"][0]["code"] = title
        return person

    assert lacks(physician("associate-chief-physician", "2016-03-02"), on="2026-03-02", act="head-ct-room") == []
    assert lacks(physician("associate-chief-physician", "2016-03-03"), on="2026-03-02", act="head-ct-room") == [
        "years-of-imaging-diagnosis"
    ]
    assert lacks(physician("attending-physician", "2000-01-01"), on="2026-03-02", act="head-ct-room") == ["rank"]
    # Diagnosis may be led by a chief of fewer years, never by an associate chief of nine.
    assert lacks(physician("chief-physician", "2020-01-01"), on="2026-03-02", act="lead-diagnosis") == []
    assert lacks(physician("associate-chief-physician", "2017-01-01"), on="2026-03-02", act="lead-diagnosis") != []


@pytest.mark.clause("4.1.2.5")
def test_technique_is_led_by_an_associate_chief_or_a_supervising_technologist_of_five_years() -> None:
    def technologist(title: str, since: str) -> dict[str, Any]:
        person = a_technologist(ct_operation={"start": since})
        person["qualification"][0]["code"]["coding"][0]["code"] = title
        return person

    assert lacks(technologist("supervising-technologist", "2021-03-02"), on="2026-03-02", act="lead-technique") == []
    assert lacks(technologist("supervising-technologist", "2021-03-03"), on="2026-03-02", act="lead-technique") != []
    assert (
        lacks(technologist("associate-chief-technologist", "2026-01-01"), on="2026-03-02", act="lead-technique") == []
    )


def test_every_act_names_only_what_the_register_knows() -> None:
    for code, act in acts().items():
        assert act["clause"].startswith("CL02") and act["zh"] and act["en"] and act["confidence"] in "SRU", code
        for way in act["ways"]:
            assert set(way.get("certificates", ())) <= set(register()["qualifications"]), code
            assert {*way.get("roles", ()), *way.get("barred", ())} <= set(register()["roles"]), code
            assert way.get("series", "nurse") in register()["series"], code
            duty = way.get("duty") or act.get("duty")
            assert duty is None or register()["roles"][duty]["duty"], code
    assert {title.series for title in titles().values()} == set(register()["series"])


@given(some.lists(SPANS, max_size=6), DAYS)
def test_joining_periods_loses_no_day_and_adds_none(spans: list[Span], day: date) -> None:
    together = joined(spans)
    assert any(span.covers(day) for span in together) == any(span.covers(day) for span in spans)
    assert all(a.end and b.start and b.start > a.end + timedelta(days=1) for a, b in pairwise(together))


@given(some.lists(SPANS, max_size=4), some.lists(SPANS, max_size=4), DAYS, DAYS)
def test_what_is_known_of_the_past_does_not_change_as_time_passes(
    stints: list[Span], leaves: list[Span], day: date, later: date
) -> None:
    first, last = sorted((day, later))
    duties = {"technologist": stints, "other-radiology": leaves}
    before = returns(duties, leaves, "technologist", first, months=6)
    assert set(before) <= set(returns(duties, leaves, "technologist", last, months=6))
    assert all(one.on <= first for one in before)


@given(some.lists(SPANS, max_size=4), DAYS)
def test_no_leave_ever_gives_a_permission_that_was_not_there(leaves: list[Span], day: date) -> None:
    during = [{"during": {"start": str(span.start), "end": str(span.end)}} for span in leaves]
    role = a_role("technologist", "2015-01-01")
    plain = {reason.code for reason in may("operate-ct", a_technologist(), [role], noon(day))}
    assert plain <= {r.code for r in may("operate-ct", a_technologist(), [role | {"notAvailable": during}], noon(day))}


@given(DAYS, some.integers(0, 60))
def test_months_later_never_skips_a_month_and_never_goes_back(day: date, months: int) -> None:
    then = months_later(day, months)
    assert (then.year - day.year) * 12 + then.month - day.month == months
    last_of_month = (then + timedelta(days=1)).day == 1
    assert then.day == day.day or (last_of_month and then.day < day.day)

"""Indicators of critical findings: numerator, denominator, interval and who is behind them; drills count nowhere."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import CASE_EVENT, LADDER_SNAPSHOT
from slipring_critical.indicators.counting import Minutes, Rate, _median
from slipring_critical.indicators.rows import counts

from tests.support.one_case import REQUESTER, RIGHT, at_level, flag, rung, signed_in
from tests.support.ringing import FINDING, ARinging, a_department, a_request, a_route, refused

pytestmark = pytest.mark.clause("5.9.1")


def share(answer: Resource, code: str) -> dict[str, Any]:
    for one in answer["parameter"]:
        parts = {part["name"]: part for part in one.get("part", [])}
        if parts.get("code", {}).get("valueCode") == code:
            cases = [part["valueReference"]["reference"] for part in one["part"] if part["name"] == "case"]
            values = {
                n: next(v for k, v in p.items() if k.startswith("value")) for n, p in parts.items() if n != "case"
            }
            return {**values, "cases": cases}
    raise AssertionError(code)


async def asked(ringing: ARinging) -> Resource:
    since = (ringing.desk.now - timedelta(days=1)).isoformat()
    until = (ringing.desk.now + timedelta(days=1)).isoformat()
    return await ringing.call("critical-indicators", period={"start": since, "end": until})


async def test_a_finding_told_in_ten_minutes_counts_and_one_that_still_rings_after_them_does_not() -> None:
    ringing = await rung()
    await ringing.wait(4)
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ringing.call("act", action={"text": "chest drain"}, unneeded=True)
    ringing.desk.hold(a_request(id="o-other", authoredOn=ringing.desk.now.isoformat()))
    await flag(ringing, "2", "CV-CT-06", basedOn=[{"reference": "ServiceRequest/o-other"}])
    early = share(await asked(ringing), "told-in-time")
    await ringing.wait(11)

    answer = await asked(ringing)

    assert (early["numerator"], early["denominator"]) == (1, 1), "nobody knows yet of one that is young"
    told = share(answer, "told-in-time")
    assert (told["numerator"], told["denominator"]) == (1, 2)
    assert told["cases"] == [f"Task/{ringing.of('CV-CT-06')['id']}"]
    assert told["low"] < told["value"] < told["high"]
    both = share(answer, "both-sides-recorded")
    assert (both["numerator"], both["denominator"]) == (1, 1)
    assert share(answer, "escalated")["numerator"] == 2
    assert (share(answer, "unneeded")["numerator"], share(answer, "unneeded")["denominator"]) == (1, 1)
    assert share(answer, "minutes-to-told")["value"] == 4
    assert share(answer, "flagged-exams")["denominator"] == 1, "of the exams that were asked for in the period"


async def test_the_clock_starts_when_the_finding_was_recognised() -> None:
    ringing = ARinging(*a_department())
    await flag(ringing, effectiveDateTime=(ringing.desk.now - timedelta(minutes=9)).isoformat())
    await ringing.wait(2)

    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    assert share(await asked(ringing), "told-in-time")["numerator"] == 0


async def test_a_drill_counts_nowhere() -> None:
    ringing = ARinging(*a_department())
    exam = {"reference": "ServiceRequest/o-ct"}
    await ringing.call("open-case", signed_in("author"), finding=FINDING, exam=exam, drill=True)
    await ringing.wait(20)

    answer = await asked(ringing)

    assert share(answer, "told-in-time")["denominator"] == 0
    assert not any(one["name"] == "nightRings" for one in answer["parameter"])


async def test_night_rings_are_counted_for_each_person() -> None:
    ringing = ARinging(*a_department())
    ringing._set_clock(ringing.desk.now.replace(hour=15))  # 23 in Shanghai
    await flag(ringing)
    await ringing.wait(3)

    rings = [one["part"] for one in (await asked(ringing))["parameter"] if one["name"] == "nightRings"]

    assert [(part[0]["valueReference"]["reference"], part[1]["valueInteger"]) for part in rings] == [
        ("Practitioner/o-requester", 2)
    ]


async def test_a_person_is_rung_once_by_a_step_however_many_ways_lead_to_him() -> None:
    """His own route and that of his role, at 23 h: two messages, one ring; the step after it is another one."""
    role = a_route("PractitionerRole/o-requester-role", "role.test")
    ringing = ARinging(*a_department(), role)
    ringing._set_clock(ringing.desk.now.replace(hour=15))  # 23 in Shanghai
    await flag(ringing)
    assert sorted(ringing.rung) == ["requester.test", "role.test", "ward.test"]
    await ringing.wait(3)

    rings = [one["part"] for one in (await asked(ringing))["parameter"] if one["name"] == "nightRings"]

    assert [(part[0]["valueReference"]["reference"], part[1]["valueInteger"]) for part in rings] == [
        ("Practitioner/o-requester", 2)
    ]


async def test_flags_are_counted_by_finding_and_exams_by_exam() -> None:
    """Three findings in two of four exams, one of five requests revoked: 75 flags in 100 exams, 50 % of exams flagged."""
    ringing = ARinging(*a_department())
    now = ringing.desk.now.isoformat()
    ringing.desk.hold(a_request(authoredOn=now))
    for name, status in (("o-two", "active"), ("o-three", "completed"), ("o-four", "active"), ("o-five", "revoked")):
        ringing.desk.hold(a_request(id=name, status=status, authoredOn=now))
    await flag(ringing)
    await flag(ringing, "2", "CV-CT-06")
    await flag(ringing, "3", "CV-CT-04", basedOn=[{"reference": "ServiceRequest/o-two"}])
    await flag(ringing, "4", "CV-CT-04", basedOn=[{"reference": "ServiceRequest/o-two"}])  # the same once more

    answer = await asked(ringing)

    rate, exams = share(answer, "flags-per-100-exams"), share(answer, "flagged-exams")
    assert (rate["count"], rate["of"], rate["value"]) == (3, 4, 75)
    # The exact limits of 3 are 0.6187 and 8.7673 (Garwood); Byar comes within 2 %.
    assert (rate["low"], rate["high"]) == (pytest.approx(15.47, rel=0.04), pytest.approx(219.18, rel=0.02))
    assert (exams["numerator"], exams["denominator"], exams["value"]) == (2, 4, 0.5)


@pytest.mark.parametrize(
    "extension",
    [
        None,
        [{"url": LADDER_SNAPSHOT, "valueString": "{"}],
        [{"url": CASE_EVENT, "extension": [{"url": "what", "valueCode": "opened"}]}],
    ],
)
async def test_an_imported_case_that_cannot_be_read_is_stored_and_counts_nowhere(
    extension: list[Resource] | None,
) -> None:
    ringing = ARinging(*a_department())
    await flag(ringing)
    [whole] = counts(ringing.case, UTC)
    case = {name: value for name, value in ringing.case.items() if name != "extension"} | {"id": "k-imported"}
    ringing.desk.hold(case | ({} if extension is None else {"extension": extension}))

    assert whole.population == "critical-case"
    assert not counts(ringing.desk.held["Task/k-imported"].resource, UTC)
    assert share(await asked(ringing), "escalated")["denominator"] == 1


def test_a_rate_of_nothing_has_no_value_and_one_without_flags_an_upper_limit() -> None:
    assert Rate("r", 0, 0).bounds is None
    value, low, high = Rate("r", 0, 100).bounds or (1, 1, 1)
    assert (value, low, high) == (0, 0, pytest.approx(3.689, rel=0.02))  # the rule of three, two-sided


async def test_a_case_that_climbed_before_its_severity_rose_went_beyond_the_first_step() -> None:
    ringing = ARinging(*a_department())
    await flag(ringing, **at_level("2"))
    await ringing.wait(31)
    await flag(ringing, "2", **at_level("1"))

    escalated = share(await asked(ringing), "escalated")

    assert (escalated["numerator"], escalated["denominator"]) == (1, 1)


async def test_told_in_time_is_what_both_sides_have_on_record() -> None:
    """Nobody is named as the one who told: the receiver's side alone is half of it."""
    ringing = ARinging(*a_department())
    await flag(ringing, performer=[])
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    told = share(await asked(ringing), "told-in-time")

    assert (told["numerator"], told["denominator"], len(told["cases"])) == (0, 1, 1)


async def test_a_case_that_nobody_could_be_reached_for_is_told_as_such() -> None:
    ringing = ARinging(a_request())
    await flag(ringing)

    unreachable = share(await asked(ringing), "unreachable")

    assert (unreachable["numerator"], len(unreachable["cases"])) == (1, 1)


def test_a_median_has_an_interval_only_where_enough_was_measured() -> None:
    assert _median("m", [3.0, 1.0]) == Minutes("m", 2, 2.0, None, None)
    ten = _median("m", [float(n) for n in range(1, 11)])
    assert (ten.median, ten.low, ten.high) == (5.5, 2.0, 9.0)  # Conover: n = 10, ranks 2 and 9, 97.9 %


@pytest.mark.parametrize(
    "period",
    [{"end": "0001-01-01T00:00:00Z"}, {"start": "9999-12-01T00:00:00Z", "end": "9999-12-30T00:00:00Z"}],
)
async def test_a_period_at_the_end_of_the_calendar_is_refused_at_it(period: Resource) -> None:
    error = await refused(ARinging(*a_department()).call("critical-indicators", period=period))
    assert (error.status, error.issues[0].detail) == (422, "critical.period-moment")
    assert error.issues[0].at == "Parameters.parameter[0]"

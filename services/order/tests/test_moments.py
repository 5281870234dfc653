"""Every moment that FHIR can write is read or passed over, never an error: leap seconds, the ends of the calendar, parts of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call
from slipring_order.asked_day import asked_day, asked_period
from slipring_order.reading import moment, sought
from slipring_order.rooms.appointments import span_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_moment_is_read_as_written_and_a_day_is_the_departments() -> None:
    assert moment("2026-03-02T08:30:00.5+08:00", UTC) == datetime(2026, 3, 2, 0, 30, 0, 500000, UTC)
    assert moment("2026-03-02", SHANGHAI) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert moment("2026-03-02", SHANGHAI, end_of_day=True) == datetime(2026, 3, 2, 15, 59, 59, 999999, UTC)
    assert moment("2026-12-31T23:59:60Z", UTC) == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", None, "2026", "2026-03", "yesterday"])
def test_less_than_a_day_is_no_moment(text: str | None) -> None:
    assert moment(text, SHANGHAI) is None


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31"])
def test_the_ends_of_the_calendar_are_moments_too(text: str) -> None:
    assert moment(text, SHANGHAI) is not None and moment(text, SHANGHAI, end_of_day=True) is not None


def test_an_appointment_at_a_leap_second_has_its_time() -> None:
    span = span_of({"start": "2026-12-31T23:59:60Z", "end": "2027-01-01T00:15:00Z"})
    assert span is not None and span.starts_at == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert span_of({"start": "2026-12-31T23:59:60Z"}) is None


def test_what_is_sought_is_held_against_the_whole_value() -> None:
    assert sought("a|b,c&d+e $") == "a%5C%7Cb%5C%2Cc%26d%2Be%20%5C%24"


def asked(text: str | None) -> Call:
    given = [] if text is None else [{"name": "day", "valueDate": text}]
    return Call({"resourceType": "Parameters", "parameter": given}, None)


@pytest.mark.parametrize("text", ["2026", "2026-03", "0001-01-01", "9999-12-31", "3000-01-01"])
def test_a_day_that_an_operation_cannot_be_asked_about_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(FhirError) as refused:
        asked_day(asked(text), "day", date(2026, 3, 2))
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "order.whole-day")
    assert refused.value.issues[0].at == "Parameters.parameter[0]"


@pytest.mark.parametrize(("start", "end"), [("2026-03-02", "2026-03-01"), ("2025-01-01", "2026-12-31")])
def test_a_period_is_in_order_and_a_year_at_most(start: str, end: str) -> None:
    def over(first: str, last: str) -> Call:
        given = [{"name": "periodStart", "valueDate": first}, {"name": "periodEnd", "valueDate": last}]
        return Call({"resourceType": "Parameters", "parameter": given}, None)

    with pytest.raises(FhirError) as refused:
        asked_period(over(start, end))
    assert (refused.value.issues[0].detail, refused.value.issues[0].at) == (
        "order.review-period", "Parameters.parameter[1]",
    )  # fmt: skip
    assert asked_period(over("2026-03-01", "2026-03-01")) == (date(2026, 3, 1), date(2026, 3, 1))


def test_a_day_is_taken_as_given_or_else_today() -> None:
    assert asked_day(asked("2026-03-01"), "day", date(2026, 3, 2)) == date(2026, 3, 1)
    assert asked_day(asked(None), "day", date(2026, 3, 2)) == date(2026, 3, 2)
    with pytest.raises(FhirError):
        asked_day(asked(None), "periodStart")

"""What a person types on the department's pages is read or refused, never taken for something else."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from slipring.department.booking_form import booking_call
from slipring.department.bookings import _read
from slipring.department.exams import Exam
from slipring.department.late import Late, late_first
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError

ZONE = ZoneInfo("Asia/Shanghai")


def test_a_time_is_the_departments_and_none_is_the_next_free_one() -> None:
    call, _ = booking_call({"scanner": "o-1", "start": ""}, ZONE)
    assert call == [{"name": "scanner", "valueReference": {"reference": "Device/o-1"}}]
    [period], fields = booking_call({"start": "2026-03-02T14:30"}, ZONE)
    assert period["valuePeriod"] == {"start": "2026-03-02T14:30:00+08:00"}
    assert fields["period"] == "start"


def test_a_free_time_of_the_list_names_its_scanner_unless_a_time_was_typed() -> None:
    form = {"slot": "o-1|2026-03-02T14:30:00+08:00", "scanner": "o-2", "start": "2026-03-02T15:00"}
    [scanner, period], fields = booking_call(form, ZONE)
    assert (scanner["valueReference"], fields) == ({"reference": "Device/o-1"}, {"scanner": "slot", "period": "slot"})
    assert period["valuePeriod"] == {"start": "2026-03-02T14:30:00+08:00"}
    [scanner, period], _ = booking_call(form | {"typed": "1"}, ZONE)
    assert scanner["valueReference"] == {"reference": "Device/o-2"}
    assert period["valuePeriod"] == {"start": "2026-03-02T15:00:00+08:00"}


def test_who_chooses_the_next_free_time_is_not_given_what_lies_in_another_form() -> None:
    assert booking_call({"slot": "", "scanner": "o-2", "start": "2026-03-02T15:00"}, ZONE)[0] == []


@pytest.mark.parametrize("typed", ["5/3 14:00", "morning", "2026-13-01T10:00"])
def test_a_time_that_cannot_be_read_books_nothing(typed: str) -> None:
    with pytest.raises(FhirError) as refused:
        booking_call({"start": typed}, ZONE)
    assert refused.value.issues[0].detail == "department.no-such-time"


@pytest.mark.parametrize("text", ["", "2026", "9999-12-31", "0001-01-01", "tomorrow"])
def test_a_day_that_no_department_has_is_none(text: str) -> None:
    assert day_of(text) is None
    assert day_of("2026-03-02") == date(2026, 3, 2)


def test_a_booking_that_holds_an_injector_too_is_its_scanners() -> None:
    actors = [{"actor": {"reference": name}} for name in ("Device/injector", "Device/ct", "Patient/p")]
    booked = {"start": "2026-03-02T01:00:00Z", "end": "2026-03-02T01:15:00Z", "participant": actors}
    assert [one.scanner for one in _read([booked], ["Device/ct"])] == ["Device/ct"]


def test_of_what_a_search_finds_who_is_late_stands_first_and_the_others_stay_as_they_were() -> None:
    exams = [Exam({"id": name}, {}) for name in ("a", "b", "c", "d")]
    late = {f"Task/{name}": [Late(("", ""), timedelta(minutes=5), None)] for name in ("b", "d", "elsewhere")}
    assert [exam.reference[-1] for exam in late_first(exams, late)] == ["b", "d", "a", "c"]

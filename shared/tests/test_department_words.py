"""What a person types on the department's pages is read or refused, never taken for something else."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.department.bookings import _read
from slipring.department.performing import _booking
from slipring.department.worklist import day_of
from slipring.fhir.outcome import FhirError

PLACE: Any = SimpleNamespace(zone=ZoneInfo("Asia/Shanghai"))


def test_a_time_is_the_departments_and_none_is_the_next_free_one() -> None:
    assert _booking({"scanner": "o-1", "start": ""}, PLACE) == [
        {"name": "scanner", "valueReference": {"reference": "Device/o-1"}}
    ]
    [period] = _booking({"start": "2026-03-02T14:30"}, PLACE)
    assert period["valuePeriod"] == {"start": "2026-03-02T14:30:00+08:00"}


@pytest.mark.parametrize("typed", ["5/3 14:00", "morning", "2026-13-01T10:00"])
def test_a_time_that_cannot_be_read_books_nothing(typed: str) -> None:
    with pytest.raises(FhirError) as refused:
        _booking({"start": typed}, PLACE)
    assert refused.value.issues[0].detail == "department.no-such-time"


@pytest.mark.parametrize("text", ["", "2026", "9999-12-31", "0001-01-01", "tomorrow"])
def test_a_day_that_no_department_has_is_none(text: str) -> None:
    assert day_of(text) is None
    assert day_of("2026-03-02") == date(2026, 3, 2)


def test_a_booking_that_holds_an_injector_too_is_its_scanners() -> None:
    actors = [{"actor": {"reference": name}} for name in ("Device/injector", "Device/ct", "Patient/p")]
    booked = {"start": "2026-03-02T01:00:00Z", "end": "2026-03-02T01:15:00Z", "participant": actors}
    assert [one.scanner for one in _read([booked], ["Device/ct"])] == ["Device/ct"]

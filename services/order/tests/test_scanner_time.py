"""The scheduled minutes of a scanner, and what took it out of use: downtimes that overlap, or cross the end of a period (4.14.7)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from slipring.fhir.service import Resource
from slipring.measuring.asking import Question
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.score import count
from slipring_order.availability.supply import scanner_time

from tests.support.rooms import a_booking_desk, a_scanner

DAILY: Resource = {
    "resourceType": "Location", "id": "o-daily", "status": "active",
    "hoursOfOperation": [
        {"daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "openingTime": "08:00:00", "closingTime": "18:00:00"}
    ],
}  # fmt: skip


def a_block(name: str, status: str, start: str, end: str) -> Resource:
    return {
        "resourceType": "Appointment", "id": f"o-{name}", "status": status,
        "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": f"2026-03-{start}:00+08:00", "end": f"2026-03-{end}:00+08:00",
    }  # fmt: skip


@pytest.mark.clause("4.14.7")
async def test_a_minute_is_down_once_and_maintenance_that_was_carried_out_stays_downtime() -> None:
    desk = a_booking_desk(a_scanner(location={"reference": "Location/o-daily"}), DAILY)
    for block in (
        a_block("early", "booked", "03T07:00", "03T10:00"),
        a_block("overlapping", "fulfilled", "03T09:30", "03T11:00"),
        a_block("called-off", "cancelled", "03T12:00", "03T13:00"),
        a_block("over-night", "fulfilled", "03T17:30", "04T09:00"),
    ):
        desk.hold(block)
    desk.now = datetime(2026, 3, 6, tzinfo=UTC)
    asking = Question(date(2026, 3, 3), date(2026, 3, 3), (), None, desk.now, desk.settings.zone)
    reckoned = await scanner_time(desk, asking)
    definition = definitions("order")["scanner-availability"]
    groups = await reckoned.groups(asking.asked("scanner-time"))
    found = count(definition, groups)
    assert (found.numerator, found.over) == (600 - 180 - 30, 600), "eight to eleven, and the half hour before six"
    lost = await reckoned.members(
        asking.asked("scanner-time"), [one for one in groups if "available" not in one.words], limit=10
    )
    assert {one.reference.rpartition("-")[2] for one in lost} == {"early", "overlapping", "night"}

"""A patient too heavy for a scanner's table: said when his exam gets its time there, and taken back on another scanner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Resource

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, findings, received
from tests.support.rooms import a_booking_desk, a_scanner, out, period, schedule

AT_NINE = NOW + timedelta(hours=7, minutes=30)
BEARS_MORE = {
    "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/scanner-property", "code": "table-load"}]},
    "valueQuantity": [{"value": 300, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}],
}


def weighed(kg: int, day: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": f"o-{kg}-{day}", "status": "final", "subject": {"reference": "Patient/o-pat"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}, "effectiveDateTime": day,
        "valueQuantity": {"value": kg, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    } | members  # fmt: skip


async def said(desk: ADesk, scanner: str = "Device/o-ct1") -> list[str]:
    changes = await schedule(desk, scanner=("Reference", {"reference": scanner}), period=period(AT_NINE))
    return [issue["detail"] for issue in out(changes, "issue") if rule_of(issue) == "order.table-load"]


async def test_the_newest_weight_is_held_against_the_table_of_the_scanner_that_is_booked() -> None:
    desk = a_booking_desk(
        a_scanner("o-ct2", property=[BEARS_MORE]), weighed(90, "2025-01-01"), weighed(230, "2026-02-01")
    )
    await received(desk, a_request())
    [detail] = await said(desk)
    assert "230 kg" in detail and "200 kg" in detail
    assert "order.table-load" in findings(desk)
    assert not await said(desk, "Device/o-ct2")
    assert "order.table-load" not in findings(desk), "the other scanner bears him"


async def test_a_weight_entered_in_error_and_one_that_is_borne_say_nothing() -> None:
    desk = a_booking_desk(weighed(230, "2026-02-02", status="entered-in-error"), weighed(120, "2026-02-01"))
    await received(desk, a_request())
    assert not await said(desk)

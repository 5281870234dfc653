"""A scanner's constancy has one source, its measured values; thin slices have limits of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_order.handlers.due import due_told
from slipring_order.rooms.fitness import fitness
from slipring_order.rooms.measured import TEST_SYSTEM as SCANNER_TEST
from slipring_order.rooms.scanner import SCANNER_PROPERTY
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.rooms import a_scanner
from tests.support.staffing import a_house, a_test, asked

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


async def told(desk: ADesk, on: str) -> dict[str, Any]:
    """What the due list says of the scanner's constancy."""
    answer = (await due_told(asked(on=on), desk)).answer
    assert answer is not None
    lines = [
        {part["name"]: next(v for n, v in part.items() if n != "name") for part in one["part"]}
        for one in answer["parameter"]
        if one["name"] == "item"
    ]
    return next(line for line in lines if line["what"]["code"] == "constancy-test")


@pytest.mark.clause("5.6.2.3", "5.3.1.2")
async def test_constancy_stands_as_the_measured_values_that_decide_whether_the_scanner_may_scan() -> None:
    def measured(id: str, on: str, value: float) -> Resource:
        return {
            "resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": "Device/o-ct"},
            "code": {"coding": [{"system": SCANNER_TEST, "code": "water"}]}, "effectiveDateTime": f"{on}T04:00:00+00:00",
            "method": {"coding": [{"code": "acceptance"}]}, "valueQuantity": {"value": value, "code": "HU"},
        }  # fmt: skip

    scanner = {"resourceType": "Device", "id": "o-ct", "status": "active", "type": {"coding": [{"code": "CT"}]}}
    ticked = a_test("o-c", "constancy-test", "Device/o-ct", "2026-03-01")  # a tick is no measurement
    desk = a_house(scanner, ticked, measured("o-w", "2026-02-10", 0.5))
    assert (await told(desk, "2026-03-11"))["state"] == "overdue"
    line = await told(desk, "2026-03-01")
    assert (line["state"], line["due"], line["evidence"]) == ("due", "2026-03-10", {"reference": "Observation/o-w"})
    desk.hold(measured("o-v", "2026-03-02", 9))
    assert (await told(desk, "2026-03-02"))["state"] == "failed"


def a_slice(nominal: float | None, deviation: float, kind: str) -> Resource:
    code = {"coding": [{"system": SCANNER_PROPERTY, "code": "nominal-slice-thickness"}]}
    size = [{"code": code, "valueQuantity": {"value": nominal, "code": "mm"}}] if nominal is not None else []
    return {
        "resourceType": "Observation", "id": "o-r", "status": "final", "subject": {"reference": "Device/o-ct1"},
        "code": {"coding": [{"system": SCANNER_TEST, "code": "slice-thickness"}]}, "effectiveDateTime": "2026-03-02T04:00:00Z",
        "method": {"coding": [{"code": kind}]}, "valueQuantity": {"value": deviation, "code": "mm"}, "component": size,
    }  # fmt: skip


@pytest.mark.clause("5.6.2.3")
@pytest.mark.parametrize(
    ("nominal", "deviation", "kind", "fits"),
    [
        (5, 1.0, "acceptance", True),
        (5, 1.1, "acceptance", False),
        (2, 1.0, "acceptance", True),
        (2, 1.1, "acceptance", False),
        (1, 0.5, "acceptance", True),
        (1, -0.6, "acceptance", False),
        (1.5, 0.7, "acceptance", True),
        (0.625, 0.5, "acceptance", True),
        (0.625, -0.6, "acceptance", False),
        (None, 1.0, "acceptance", True),
        (None, 1.1, "acceptance", False),
        (3, 1.1, "status", False),
        (0.625, 3.0, "status", True),  # the standard asks for no status test of thin slices
    ],
)
def test_the_thickness_of_thin_slices_has_limits_of_its_own(
    nominal: float | None, deviation: float, kind: str, fits: bool
) -> None:
    made = OrderSettings()
    held = [a_slice(nominal, deviation, kind)]
    assert fitness(a_scanner(), held, NOON, made.scanner_limits, made.zone).fit == fits

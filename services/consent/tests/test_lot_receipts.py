"""What comes in of a lot: how much, when, from whom and by whom, found by its lot from then on (5.3.2.1)."""

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL, Changes, Write
from slipring_consent.handlers.lots import movement_written

from tests.support.contrast import a_department
from tests.support.desk import ADesk
from tests.support.lots import LOT, a_delivery, a_lot, a_volume


def a_store() -> ADesk:
    """A department into which a lot comes."""
    desk = a_department()
    desk.hold(a_lot("received"))
    return desk


async def moved(desk: ADesk, **members: Any) -> Changes:
    return await movement_written(Write("create", a_delivery(**members)), desk)


@pytest.mark.clause("5.3.2.1")
async def test_a_receipt_is_found_by_its_lot_from_then_on() -> None:
    changes = await moved(a_store(), identifier=[])
    assert changes.refuse is None
    assert changes.append == {"identifier": [{"system": f"{CANONICAL}/sid/lot", "value": "c-lot"}]}


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"occurrenceDateTime": "2026-03-03T12:00:00+08:00"}, "SupplyDelivery.occurrence"),
        ({"occurrenceDateTime": "2026"}, "SupplyDelivery.occurrence"),
        ({"supplier": None}, "SupplyDelivery.supplier"),
        ({"receiver": []}, "SupplyDelivery.receiver"),
        (
            {"suppliedItem": {"itemReference": {"reference": LOT}, "quantity": a_volume(10, "kg")}},
            "SupplyDelivery.suppliedItem.quantity",
        ),
        (
            {"suppliedItem": {"itemReference": {"reference": LOT}, "quantity": a_volume(2, "{box}")}},
            "SupplyDelivery.suppliedItem.quantity",
        ),
        (
            {"suppliedItem": {"itemReference": {"reference": LOT}, "quantity": a_volume(500, "{mL}")}},
            "SupplyDelivery.suppliedItem.quantity",
        ),
        (
            {"suppliedItem": {"itemReference": {"reference": LOT}, "quantity": a_volume(-10)}},
            "SupplyDelivery.suppliedItem.quantity",
        ),
        (
            {"suppliedItem": {"itemReference": {"reference": LOT}}},
            "SupplyDelivery.suppliedItem.quantity",
        ),
        (
            {"suppliedItem": {"itemReference": {"reference": "Medication/c-nowhere"}, "quantity": a_volume(10)}},
            "SupplyDelivery.suppliedItem.itemReference",
        ),
    ],
)
async def test_a_receipt_that_cannot_be_counted_is_refused_where_it_lacks(members: dict[str, Any], at: str) -> None:
    changes = await moved(a_store(), **members)
    assert changes.refuse is not None
    assert [issue.at for issue in changes.refuse.issues] == [at]


async def test_what_is_no_lot_is_a_plain_delivery() -> None:
    cloth = {"itemCodeableConcept": {"text": "gauze"}, "quantity": {"value": 3}}
    assert await moved(a_store(), suppliedItem=cloth) == Changes.none()

"""What the due list tells of a crash cart: its check, and the drug in it that goes first."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_order.handlers.due import due_told

from tests.support.desk import ADesk
from tests.support.staffing import a_device, a_house, an_answer, asked


async def told(desk: ADesk, **values: Any) -> dict[str, Any] | None:
    """The line about the cart's check; None where nothing is owed."""
    changes = await due_told(asked(**values), desk)
    assert changes.answer is not None
    lines = [
        {part["name"]: next(v for n, v in part.items() if n != "name") for part in one["part"]}
        for one in changes.answer["parameter"]
        if one["name"] == "item"
    ]
    return next((line for line in lines if line["what"]["code"] == "crash-cart-check"), None)


@pytest.mark.clause("5.2.5")
async def test_a_crash_cart_owes_its_check_which_holds_no_longer_than_the_first_drug_in_it() -> None:
    cart = a_device("o-cart", "crash-cart")
    assert (await told(a_house(cart), on="2026-03-01") or {})["state"] == "missing"
    whole = {"adrenaline": "2026-03-20", "atropine": "2027-01-31", "oxygen": True, "defibrillator": True}
    desk = a_house(cart, an_answer("o-c1", "crash-cart-check", "Device/o-cart", "2026-03-01", **whole))
    line = await told(desk, on="2026-03-02") or {}
    assert (line["state"], line["due"], line["clause"]) == ("due", "2026-03-20", "CL02-A011:5.2.5"), (
        "adrenaline goes first"
    )
    assert await told(desk, on="2026-03-02", within=17) is None
    assert (await told(desk, on="2026-03-21") or {})["state"] == "overdue"


@pytest.mark.clause("5.2.5")
async def test_a_drug_that_is_over_when_the_cart_is_checked_is_a_fault() -> None:
    over = {"adrenaline": "2026-02-28", "oxygen": True, "defibrillator": True}
    desk = a_house(
        a_device("o-cart", "crash-cart"), an_answer("o-c1", "crash-cart-check", "Device/o-cart", "2026-03-01", **over)
    )
    assert (await told(desk, on="2026-03-02") or {})["state"] == "failed"

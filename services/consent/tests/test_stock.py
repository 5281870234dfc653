"""What is left of a lot: counted once, in one unit, and never made fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.service import Resource
from slipring_consent.contrast.amounts import GRAM, KG, ML, ML_PER_S, PSI, UCUM, amount, shown
from slipring_consent.contrast.lots import lot_of, usable_until
from slipring_consent.contrast.stock import MOVEMENT, WASTED, Stock, delivered_ml, stock_of
from slipring_consent.handlers.stock import contradictions

from tests.support.lots import LOT, a_lot, a_volume

ZONE = "Asia/Shanghai"
volumes = st.decimals(min_value=1, max_value=500, places=1)


def a_movement(number: int, ml: Decimal, *, waste: bool = False, status: str = "completed") -> Resource:
    mark = {"extension": [{"url": MOVEMENT, "valueCode": "waste"}]} if waste else {}
    item = {"itemReference": {"reference": LOT}, "quantity": {"value": ml, "system": UCUM, "code": "mL"}}
    return {"resourceType": "SupplyDelivery", "id": f"c-{number}", "status": status, "suppliedItem": item, **mark}


def a_dose(number: int, ml: Decimal | None, status: str = "completed", wasted: Decimal | None = None) -> Resource:
    dosage = {"dosage": {"dose": {"value": ml, "system": UCUM, "code": "mL"}}} if ml is not None else {}
    thrown = {"value": wasted, "system": UCUM, "code": "mL"}
    mark = {"extension": [{"url": WASTED, "valueQuantity": thrown}]} if wasted is not None else {}
    return {"resourceType": "MedicationAdministration", "id": f"c-{number}", "status": status, **dosage, **mark}


@given(
    st.lists(volumes, max_size=8),
    st.lists(volumes, max_size=8),
    st.lists(volumes, max_size=4),
    st.randoms(use_true_random=False),
)
def test_stock_is_what_came_in_less_what_went_out_however_often_and_in_whatever_order_it_is_seen(
    came: list[Decimal], went: list[Decimal], thrown: list[Decimal], random: Any
) -> None:
    records = [a_movement(n, ml) for n, ml in enumerate(came)]
    records += [a_movement(100 + n, ml, waste=True) for n, ml in enumerate(thrown)]
    records += [a_dose(n, ml) for n, ml in enumerate(went)]
    seen = records + random.choices(records, k=len(records)) if records else []
    random.shuffle(seen)
    stock = stock_of(seen, None)
    assert (stock.received_ml, stock.given_ml, stock.wasted_ml) == (sum(came), sum(went), sum(thrown))
    assert stock.left_ml == sum(came) - sum(went) - sum(thrown)


def test_only_what_happened_is_counted() -> None:
    ten = Decimal(10)
    records = [a_movement(1, ten, status="in-progress"), a_movement(2, ten, status="entered-in-error")]
    records += [a_dose(3, ten, "in-progress"), a_dose(4, ten, "entered-in-error"), a_dose(5, ten, "not-done", ten)]
    assert stock_of(records, None) == Stock(wasted_ml=ten)
    assert stock_of([a_dose(1, ten, "stopped", Decimal(3))], None) == Stock(given_ml=ten, wasted_ml=Decimal(3))


def test_a_dose_that_nobody_stated_is_named_and_counts_as_nothing() -> None:
    stock = stock_of([a_movement(1, Decimal(100)), a_dose(2, None)], None)
    assert (stock.left_ml, stock.unknown) == (100, ("MedicationAdministration/c-2",))


@pytest.mark.clause("5.3.2.1")
def test_more_used_than_came_in_is_said_and_not_hidden() -> None:
    lot = lot_of(a_lot(), ZONE)
    assert lot is not None
    stock = stock_of([a_movement(1, Decimal(50)), a_dose(2, Decimal(60)), a_dose(3, None)], None)
    assert stock.left_ml == -10
    assert [one.rule for one in contradictions(lot, stock)] == ["consent.lot-overdrawn", "consent.lot-amount-unknown"]
    assert contradictions(lot, stock_of([a_movement(1, Decimal(50))], None)) == []


def test_packs_count_by_their_size_and_only_where_it_is_known() -> None:
    packs = a_movement(1, Decimal(10)) | {"suppliedItem": {"quantity": {"value": 10, "code": "{bottle}"}}}
    assert stock_of([packs], Decimal(100)).received_ml == 1000
    assert stock_of([packs], None).unknown == ("SupplyDelivery/c-1",)


@pytest.mark.clause("5.3.2.1")
@pytest.mark.parametrize(
    ("said", "ml"),
    [
        ({"code": "{vial}"}, 1000), ({"code": "1"}, 1000), ({"code": "1", "unit": "瓶"}, 1000), ({"code": "{瓶}"}, 1000),
        ({"code": "{bottle}", "system": UCUM}, 1000), ({"code": "mL"}, 10), ({"code": "{mL}"}, None),
        ({"code": "{box}"}, None), ({"code": "1", "unit": "carton"}, None), ({"code": "{}"}, None), ({"unit": "瓶"}, None),
        ({"code": "{bottle}", "system": "urn:ours"}, None), ({"code": "{bottle}", "comparator": ">"}, None),
    ],
)  # fmt: skip
def test_only_what_is_known_to_be_one_pack_is_counted_as_one(said: dict[str, str], ml: int | None) -> None:
    delivery = a_movement(1, Decimal(10)) | {"suppliedItem": {"quantity": {"value": 10, **said}}}
    assert delivered_ml(delivery, Decimal(100)) == ml


# --- until when ---------------------------------------------------------------------------------------------------


@given(st.integers(2020, 2090), st.integers(1, 12), st.sampled_from([ZONE, "UTC", "America/New_York"]))
def test_a_month_is_usable_to_its_last_moment_in_the_departments_zone(year: int, month: int, zone: str) -> None:
    until = usable_until(f"{year}-{month:02}", zone)
    assert until is not None
    local = until.astimezone(ZoneInfo(zone))
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    assert (local.year, local.month, local.day, local.hour, local.minute) == (*following, 1, 0, 0)


@pytest.mark.clause("5.3.2.1")
def test_days_years_and_moments_end_where_they_end() -> None:
    assert str(usable_until("2027-05-31", ZONE)) == "2027-05-31 16:00:00+00:00"
    assert str(usable_until("2027", ZONE)) == "2027-12-31 16:00:00+00:00"
    assert str(usable_until("2027-05-31T10:00:00+08:00", ZONE)) == "2027-05-31 02:00:01+00:00"
    assert usable_until("", ZONE) is None


# --- units ----------------------------------------------------------------------------------------------------------


@given(st.decimals(min_value="0.001", max_value=10000, places=3))
def test_the_same_amount_is_the_same_in_every_unit(number: Decimal) -> None:
    assert amount({"value": number / 1000, "system": UCUM, "code": "L"}, ML) == number
    assert amount({"value": number * 60, "system": UCUM, "code": "mL/min"}, ML_PER_S) == number
    assert amount({"value": number * 1000, "system": UCUM, "code": "g"}, KG) == number
    assert amount({"value": number * 1000, "code": "mg"}, GRAM) == number


def test_pounds_and_kilopascals_are_read() -> None:
    assert shown(amount({"value": 154, "code": "[lb_av]"}, KG) or Decimal(0)) == "69.85"  # 154 lb, NIST SP 811
    assert shown(amount({"value": Decimal("2068.43"), "code": "kPa"}, PSI) or Decimal(0)) == "300"


@pytest.mark.parametrize(
    "quantity",
    [
        None,
        {},
        {"value": 60},
        {"value": True, "code": "mL"},
        {"value": 60, "comparator": ">", "code": "mL"},
        {"value": 60, "system": "http://example.org/units", "code": "mL"},
        a_volume(60, "mg"),
        a_volume(60, "{bottle}"),
    ],
)
def test_what_is_no_volume_is_not_taken_for_one(quantity: Resource | None) -> None:
    assert amount(quantity, ML) is None

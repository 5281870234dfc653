"""Weight and height of a person, as the newest Observation with a known unit says them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order.reading import codes, first, moment

WEIGHT, HEIGHT = "29463-7", "8302-2"  # LOINC
KILOGRAMS = {"kg": Decimal(1), "公斤": Decimal(1), "千克": Decimal(1), "g": Decimal("0.001")}
_METRES = {"m": Decimal(1), "cm": Decimal("0.01"), "厘米": Decimal("0.01"), "mm": Decimal("0.001")}
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def weight_kg(measured: Iterable[Resource], zone: ZoneInfo) -> Decimal | None:
    """The newest body weight in kilograms; None where nobody says one."""
    return _newest(measured, WEIGHT, KILOGRAMS, zone)


def height_m(measured: Iterable[Resource], zone: ZoneInfo) -> Decimal | None:
    """The newest body height in metres; None where nobody says one."""
    return _newest(measured, HEIGHT, _METRES, zone)


def _newest(measured: Iterable[Resource], code: str, units: Mapping[str, Decimal], zone: ZoneInfo) -> Decimal | None:
    found = []
    for one in measured:
        quantity = one.get("valueQuantity", {})
        factor = units.get(str(quantity.get("code") or quantity.get("unit")).casefold())
        if factor is None or code not in codes(one.get("code")):
            continue
        try:
            value = Decimal(str(quantity["value"])) * factor
        except (KeyError, InvalidOperation):
            continue
        if value <= 0:  # nobody weighs nothing
            continue
        at = moment(first(one, "effectiveDateTime", "effectivePeriod", "issued"), zone)
        found.append((at or _LONG_AGO, value))
    return max(found)[1] if found else None

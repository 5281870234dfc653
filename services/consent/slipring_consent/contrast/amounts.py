"""Amounts of contrast in one unit each: ml, ml/s, g, kg, mg/ml, psi and degrees Celsius. Pure; what is not said so is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from slipring.fhir.search.amount import same_kind

UCUM = "http://unitsofmeasure.org"
ML, ML_PER_S, GRAM, KG, CELSIUS, PSI = "mL", "mL/s", "g", "kg", "Cel", "[psi]"
_PER = Decimal(1000)  # mg in a g, g in a kg


def amount(quantity: Mapping[str, Any] | None, unit: str) -> Decimal | None:
    """The number of a Quantity in a UCUM unit; None when it has none, is only a bound, or is another kind of amount.

    >>> amount({"value": 3, "system": UCUM, "code": "mL/min"}, ML_PER_S)
    Decimal('0.05')
    """
    said = quantity or {}
    value = said.get("value")
    if value is None or isinstance(value, bool) or "comparator" in said or said.get("system", UCUM) != UCUM:
        return None
    factors = same_kind(UCUM, unit)  # from `unit` to each of its kind
    factor = factors.get(str(said.get("code") or said.get("unit") or ""))
    return None if factor is None else _plain(Decimal(str(value)) / factor)


def strength_mg_per_ml(ratio: Mapping[str, Any] | None) -> Decimal | None:
    """Iodine per volume of a `strength` Ratio such as 350 mg / 1 mL, in mg/ml."""
    said = ratio or {}
    grams, volume_ml = amount(said.get("numerator"), GRAM), amount(said.get("denominator"), ML)
    return _plain(grams * _PER / volume_ml) if grams is not None and volume_ml else None


def iodine_g(volume_ml: Decimal, strength: Decimal) -> Decimal:
    """Grams of iodine in a volume of contrast (ml times mg/ml over 1000)."""
    return volume_ml * strength / _PER


def shown(number: Decimal) -> str:
    """A number as people read it: at most two decimals, no trailing zeros.

    >>> shown(Decimal("60.00"))
    '60'
    """
    return format(number.quantize(Decimal("0.01")).normalize(), "f")


def _plain(number: Decimal) -> Decimal:
    """Twelve significant digits: what the division of exact factors leaves behind them is no amount."""
    return Decimal(f"{number:.12g}").normalize() + 0

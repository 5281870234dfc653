"""Numbers and amounts: how wide a searched number is, and the interval a stored one stands for.

A searched number is as wide as its last digit says (R4 search, 3.1.1.4.8): 5.4 is [5.35, 5.45). A stored one is a point;
one with a comparator (`<5`) is every number on that side and the bound itself; a Range and the samples of a
SampledData are everything from the lowest to the highest.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation, localcontext
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from slipring.fhir.search.fold import bounded

INFINITE = Decimal("Infinity")
CURRENCIES = "urn:iso:std:iso:4217"
_NUMBER = re.compile(r"[+-]?(\d{1,64})(\.\d{1,64})?([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST = Decimal(10) ** 308
_DIGITS = 400  # exact arithmetic on anything that a resource may hold


class Amount(NamedTuple):
    """A closed interval with its unit; plain numbers have none."""

    low: Decimal
    high: Decimal
    system: str = ""
    code: str = ""
    unit: str = ""


class Width(NamedTuple):
    """A searched number: itself, and the half-open interval [low, high) of what counts as equal."""

    exact: Decimal
    low: Decimal
    high: Decimal

    def times(self, factor: Decimal) -> Width:
        """The same in another unit."""
        with localcontext(prec=_DIGITS):
            return Width(self.exact * factor, self.low * factor, self.high * factor)


def width(text: str) -> Width | None:
    """How wide a searched number is; None when it is none.

    >>> width("5.4")
    Width(exact=Decimal('5.4'), low=Decimal('5.35'), high=Decimal('5.45'))

    With an exponent the digits before it count, and one more, as R4's example has it: 1e2 is [95, 105).
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    exact = Decimal(text)
    if abs(exact) >= _LARGEST or exact.as_tuple().exponent < -_DIGITS:  # type: ignore[operator]
        return None
    place = int(exact.as_tuple().exponent)
    half = Decimal((0, (5,), place - 1 if place <= 0 else place - 2))
    with localcontext(prec=_DIGITS):
        return Width(exact, exact - half, exact + half)


def about(width: Width) -> Width:
    """About as much: a tenth to either side."""
    with localcontext(prec=_DIGITS):
        tenth = abs(width.exact) / 10
        return Width(width.exact, width.exact - tenth, width.exact + tenth)


# --- what is stored ---------------------------------------------------------------------------------------------


def stored(kind: str, value: Any) -> Amount | None:
    """The interval that an element of this FHIR type stands for; None when it has no number."""
    if kind == "Range":
        return _range(value) if type(value) is dict else None
    if kind == "SampledData":
        return _samples(value) if type(value) is dict else None
    if kind == "Money":
        return _money(value) if type(value) is dict else None
    if type(value) is dict:
        return _quantity(value)
    point = _number(value)
    return None if point is None else Amount(point, point)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def _quantity(value: Mapping[str, Any]) -> Amount | None:
    point = _number(value.get("value"))
    if point is None:
        return None
    comparator = value.get("comparator")
    low = -INFINITE if comparator in ("<", "<=") else point
    high = INFINITE if comparator in (">", ">=") else point
    return Amount(low, high, *_unit(value))


def _unit(value: Mapping[str, Any]) -> tuple[str, str, str]:
    system, code, unit = (bounded(text) if type(text := value.get(name)) is str else "" for name in _UNIT)
    return system, code, unit


_UNIT = ("system", "code", "unit")


def _range(value: Mapping[str, Any]) -> Amount | None:
    """From the low to the high side; sides in different units are no range."""
    sides = [side if type(side := value.get(name)) is dict else {} for name in ("low", "high")]
    low, high = (_number(side.get("value")) for side in sides)
    units = {_unit(side) for side, number in zip(sides, (low, high), strict=True) if number is not None}
    if len(units) != 1:
        return None
    return Amount(-INFINITE if low is None else low, INFINITE if high is None else high, *units.pop())


def _money(value: Mapping[str, Any]) -> Amount | None:
    point, currency = _number(value.get("value")), value.get("currency")
    if point is None:
        return None
    return Amount(point, point, CURRENCIES, currency, currency) if type(currency) is str else Amount(point, point)


def _samples(value: Mapping[str, Any]) -> Amount | None:
    """From the lowest to the highest sample; `E`, `L` and `U` stand for no number."""
    origin, data = value.get("origin"), value.get("data")
    if type(origin) is not dict or type(data) is not str:
        return None
    zero, factor = _number(origin.get("value")), _number(value.get("factor", 1))
    numbers = list(_numbers(data))
    if zero is None or factor is None or not numbers:
        return None
    with localcontext(prec=_DIGITS):
        ends = [zero + factor * number for number in (min(numbers), max(numbers))]
    return Amount(min(ends), max(ends), *_unit(origin))


def _numbers(data: str) -> Iterator[Decimal]:
    for word in data.split():
        if _NUMBER.fullmatch(word):
            try:
                yield Decimal(word)
            except InvalidOperation:
                continue


# --- units ------------------------------------------------------------------------------------------------------


def same_kind(system: str, code: str) -> Mapping[str, Decimal]:
    """The units that say the same kind of amount, each with the factor from `code`; `code` alone when none is known."""
    ucum, kinds = _kinds()
    kind = kinds.get(code, {}) if system == ucum else {}
    if not kind:
        return {code: Decimal(1)}
    with localcontext(prec=34):
        return {other: kind[code] / factor for other, factor in kind.items()}


@cache
def _kinds() -> tuple[str, Mapping[str, Mapping[str, Decimal]]]:
    declared = tomllib.loads(files("slipring.fhir.search").joinpath("units.toml").read_text(encoding="utf-8"))
    kinds: dict[str, Mapping[str, Decimal]] = {}
    for kind in declared["kinds"].values():
        factors = {code: Decimal(factor) for code, factor in kind.items()}
        kinds |= dict.fromkeys(factors, factors)
    return declared["system"], kinds

"""Rates as parts of Parameters. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from slipring.fhir.service import Resource
from slipring.qc.proportion import LEVEL, Interval

_PLACES = Decimal("0.0001")


def part(name: str, kind: str, value: Any) -> Resource:
    """One value."""
    return {"name": name, f"value{kind}": value}


def decimal(value: float) -> Decimal:
    """A rate to four places."""
    return Decimal(value).quantize(_PLACES)


def interval_parts(found: Interval | None) -> list[Resource]:
    """A rate with its Wilson interval; nothing where there is no case."""
    if found is None:
        return []
    bounds = [part(name, "Decimal", decimal(getattr(found, name))) for name in ("rate", "low", "high")]
    return [*bounds, part("level", "Decimal", Decimal(str(LEVEL)))]

"""Protective gear: the lead equivalent that a Device states (5.2.2 e)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import has_code

PROPERTY_SYSTEM = f"{CANONICAL}/CodeSystem/gear-property"
GEAR = frozenset({"protective-gear-adult", "protective-gear-child"})
_UNITS = frozenset({"mmPb", "mm Pb", "mm{Pb}"})


def too_thin(device: Resource, kinds: Collection[str], least: float) -> list[str]:
    """Where gear states less than `least` mmPb, or states nothing that can be compared; no place when it is enough."""
    if not GEAR.intersection(kinds):
        return []
    found, stated = [], False
    for place, entry in enumerate(device.get("property", [])):
        if not has_code(entry.get("type"), PROPERTY_SYSTEM, "lead-equivalent"):
            continue
        quantities = entry.get("valueQuantity", [])
        stated = stated or bool(quantities)
        found += [
            f"Device.property[{place}].valueQuantity[{n}]"
            for n, quantity in enumerate(quantities)
            if not _enough(quantity, least)
        ]
    return found if stated else ["Device.property"]


def _enough(quantity: Resource, least: float) -> bool:
    value: Any = quantity.get("value")
    unit = quantity.get("code") or quantity.get("unit")
    return (
        unit in _UNITS and value is not None and value >= least and not quantity.get("comparator", "").startswith("<")
    )

"""The department's own set beside what is shipped: a PlanDefinition that two people stand for, in force from a moment. Pure.

order keeps it and sees that a second qualified person approves it; which entries there are, the room says that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored

from slipring_consent.reading import moment

CONTRAST_POLICY = f"{CANONICAL}/PlanDefinition/contrast-policy"  # what the policy packs of screening say
GATE_POLICY = f"{CANONICAL}/PlanDefinition/gate-policy"  # what the gate lets pass
APPROVED = f"PlanDefinition?status=active&url={CONTRAST_POLICY},{GATE_POLICY}"  # one search: the gate looks at both
LIMIT = f"{CANONICAL}/StructureDefinition/rule-limit"
NONE = "none"  # the value that takes away what was shipped

Fits = Callable[[str, tuple[Any, ...]], bool]


def entries(plan: Resource) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a set says: the name of each entry, and its values."""
    for extension in plan.get("extension", []):
        if extension.get("url") == LIMIT:
            parts = [(part.get("url"), _value(part)) for part in extension.get("extension", [])]
            name = next((value for url, value in parts if url == "id"), "")
            yield str(name), tuple(value for url, value in parts if url == "value")


def unfit(plan: Resource, fits: Fits) -> list[str]:
    """The entries of a set that there are not here, or whose value is of another kind."""
    return [name for name, values in entries(plan) if not fits(name, values)]


def in_force(
    plans: Iterable[Stored], address: str, fits: Fits, now: datetime, time_zone: str
) -> tuple[Stored, datetime] | None:
    """The approved set of this address that began last, and when; one with an entry that does not fit is not in force."""
    begun = [
        (start, stored.updated_at, stored)
        for stored in plans
        if stored.resource.get("url") == address
        and stored.resource.get("status") == "active"
        and not unfit(stored.resource, fits)
        and (start := moment(stored.resource.get("effectivePeriod", {}).get("start"), time_zone))
        and start <= now
    ]
    if not begun:
        return None
    start, _, newest = max(begun, key=lambda one: one[:2])
    return newest, start


def version_of(plan: Stored) -> str:
    """The version of a set, as findings name it."""
    return f"{plan.reference}/_history/{plan.version}"


def _value(part: Resource) -> Any:
    return next((value for member, value in part.items() if member.startswith("value")), "")

"""The people of the department by their roles, for a page to offer."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.department.road import Hand
from slipring.department.staff import called


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody by name, and by the number on the badge: two may have one name."""

    id: str
    name: str
    number: str


async def people_as(hand: Hand, roles: str) -> list[Colleague]:
    """The active practitioners who have one of these roles (codes of staff-role, with commas), by name."""
    asked = [("role", roles), ("active", "true"), ("_include", "PractitionerRole:practitioner"), ("_count", "100")]
    told = await hand.if_allowed("PractitionerRole", asked) or []
    people = {str(one["id"]): one for one in told if one["resourceType"] == "Practitioner"}
    found = [Colleague(id, *called(one)) for id, one in people.items() if one.get("active") is not False]
    return sorted(found, key=lambda one: (one.name, one.number))

"""Who a reference to a person stands for: the person and the roles held."""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource

from slipring_order.reading import reference_of


async def person_and_roles(reference: str, desk: Desk) -> tuple[Resource | None, list[Resource]]:
    """The Practitioner behind a Practitioner or PractitionerRole reference, with all roles on record."""
    if reference.startswith("PractitionerRole/"):
        role = await desk.read(reference)
        reference = reference_of(role.resource.get("practitioner")) if role else ""
    if not reference.startswith("Practitioner/"):
        return None, []
    person = await desk.read(reference)
    roles = await desk.search(f"PractitionerRole?practitioner={reference}")
    return (person.resource if person else None), [role.resource for role in roles]

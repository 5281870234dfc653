"""Whether a person may do an act now, as the staff register has him."""

from __future__ import annotations

from slipring.fhir.service import Desk
from slipring.staff import Reason, may

from slipring_report.signatures.gathering import roles_of


async def lacking(act: str, person: str, desk: Desk) -> list[Reason]:
    """Why a Practitioner may not do it; empty when he may. Nobody at all is an unknown person."""
    held = await desk.read(person) if person.startswith("Practitioner/") else None
    roles = await roles_of(person, desk) if held else []
    return may(
        act,
        held.resource if held else None,
        [each.resource for each in roles],
        desk.now,
        zone=desk.settings.time_zone,
    )

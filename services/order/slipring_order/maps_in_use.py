"""The hospital's own exam codes are read by the maps in force."""

from __future__ import annotations

from urllib.parse import quote

from slipring.fhir.service import Desk, Resource

from slipring_order.mapping import local_systems
from slipring_order.reading import Pool

EARLIER_TYPES = ("ServiceRequest", "ImagingStudy", "Procedure", "DiagnosticReport")


async def maps_of(pool: Pool, desk: Desk, *more: Resource) -> None:
    """The current maps of the hospital's own exam codes, where one of these resources uses such codes."""
    for system in local_systems([*pool.of_type(*EARLIER_TYPES), *more]):
        found = await desk.search(f"ConceptMap?status=active&source-system={quote(system, safe='')}")
        pool.fill(*(one.resource for one in found if not one.source))

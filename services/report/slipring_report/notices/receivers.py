"""Who got a version of a report: who asked for the exam, and whom the trail and the deliveries name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from slipring.fhir.service import Desk, Receiver, Resource, Stored

from slipring_report.reading import reference_of, request_of
from slipring_report.resources import reference

CLIENT = "https://slipring.example/fhir/sid/client"


async def receivers_of(report: Stored, desk: Desk, *, but: Collection[str] = ()) -> list[Resource]:
    """As Communication.recipient: people by reference, systems by the name of their client; `but`: who knows already."""
    issued = str(report.resource.get("issued", ""))
    since = datetime.fromisoformat(issued) if issued else desk.now
    shown = await desk.receivers(report.reference, since)
    asked = [Receiver("", person) for person in await _requester(report.resource, desk)]
    people = dict.fromkeys(one.practitioner for one in (*asked, *shown) if one.practitioner)
    systems = dict.fromkeys(one.client for one in shown if not one.practitioner)
    return [
        *[reference(person) for person in people if person not in but],
        *[{"identifier": {"system": CLIENT, "value": name}, "display": name} for name in systems],
    ]


async def _requester(report: Resource, desk: Desk) -> list[str]:
    request = await desk.read(request_of(report))
    who = reference_of(request.resource.get("requester")) if request else ""
    if who.startswith("PractitionerRole/"):
        role = await desk.read(who)
        who = reference_of(role.resource.get("practitioner")) if role else ""
    return [who] if who.startswith("Practitioner/") else []

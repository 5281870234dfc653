"""Who stands behind a ladder target, and by which contact route: Endpoints kept here, people and wards from order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipring.fhir.service import Desk, Resource

from slipring_critical.cases.facts import CHANNEL, ROUTE_OF, first_reference, reference_of
from slipring_critical.ladders.ladder import FALLBACK, Rung

# Communication.recipient takes people and organisations (R4); a ward's Location is named by the route alone.
WEBHOOK = "webhook"  # of the fallback route of the settings
_RECIPIENTS = ("Practitioner/", "PractitionerRole/", "Organization/")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ring one target; `endpoint` is '' for the fallback route of the settings."""

    target: str
    channel: str
    endpoint: str = ""
    recipient: str = ""  # a reference, '' when only the target's name is known


@dataclass(frozen=True, slots=True)
class Directory:
    """Who the targets of one case are, and every contact route in force."""

    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)  # target -> references that may own a route
    endpoints: Sequence[Resource] = ()
    has_fallback: bool = False

    def routes(self, rung: Rung) -> tuple[list[Route], list[str]]:
        """The routes that ring for a step, one per address, and the targets that have none."""
        found: dict[str, Route] = {}
        missing = []
        for target in rung.who:
            routes = self._of(target, rung.channels)
            if not routes:
                missing.append(target)
            for route in routes:
                found.setdefault(route.endpoint, route)
        return list(found.values()), missing

    def _of(self, target: str, channels: Sequence[str]) -> list[Route]:
        if target == FALLBACK:
            own = [Route(target, WEBHOOK)] if self.has_fallback else []
            return [*own, *self._offices(target, channels)]
        return self._offices(target, channels)

    def _offices(self, target: str, channels: Sequence[str]) -> list[Route]:
        owners = self.holders.get(target, ())
        routes = []
        for endpoint in self.endpoints:
            owner = self._owner(endpoint, target, owners)
            channel = endpoint["connectionType"].get("code", "")
            if owner is not None and channel in channels:
                routes.append(Route(target, channel, f"Endpoint/{endpoint['id']}", owner))
        return routes

    def _owner(self, endpoint: Resource, target: str, owners: Sequence[str]) -> str | None:
        """Whose route it is ('' = the office itself), or None when it does not serve this target."""
        for extension in endpoint.get("extension", []):
            if extension.get("url") != ROUTE_OF:
                continue
            owner = reference_of(extension.get("valueReference"))
            if owner and owner in owners:
                return owner if owner.startswith(_RECIPIENTS) else ""
            if extension.get("valueCode") == target and self._serves(endpoint):
                return ""
        return None

    def _serves(self, endpoint: Resource) -> bool:
        """An office's route with a managing organisation serves the wards of that organisation only."""
        organization = reference_of(endpoint.get("managingOrganization"))
        known = [holder for holder in self.holders.get("ward", ()) if holder.startswith("Organization/")]
        # With the ward unknown every office is rung: too many people is safer than nobody.
        return not organization or not known or organization in known


async def directory(desk: Desk, request: str, people: dict[str, str]) -> Directory:
    """Look up the targets of one case as they stand now; `people` adds targets that are one person."""
    order = await desk.read(request) if request else None
    holders: dict[str, tuple[str, ...]] = {name: await _person(desk, who) for name, who in people.items() if who}
    if order:
        holders["requester"] = await _person(desk, reference_of(order.resource.get("requester")))
        holders["ward"] = await _ward(desk, order.resource)
    endpoints = [
        stored.resource
        for stored in await desk.search("Endpoint?status=active")
        if stored.resource["connectionType"].get("system") == CHANNEL
    ]
    return Directory(holders, endpoints, bool(desk.settings.fallback_route))


async def places_of(desk: Desk, request: str) -> tuple[str, ...]:
    """Where the patient of an order lies now: Location/... and Organization/..., none when nobody says."""
    order = await desk.read(request) if request else None
    return await _ward(desk, order.resource) if order else ()


async def _person(desk: Desk, reference: str) -> tuple[str, ...]:
    """A person under every name he may own a route by: himself, and the roles he holds."""
    if reference.startswith("PractitionerRole/"):
        role = await desk.read(reference)
        practitioner = reference_of(role.resource.get("practitioner")) if role else ""
        return tuple(name for name in (reference, practitioner) if name)
    if reference.startswith("Practitioner/"):
        roles = await desk.search(f"PractitionerRole?practitioner={reference}")
        return (reference, *(role.reference for role in roles))
    return (reference,) if reference else ()


async def _ward(desk: Desk, order: Resource) -> tuple[str, ...]:
    """Where the patient lies: the encounter's current locations, what manages them, its provider."""
    encounter = await desk.read(reference_of(order.get("encounter"))) if order.get("encounter") else None
    if encounter is None:
        return ()
    names: list[str] = []
    for place in encounter.resource.get("location", []):
        location = reference_of(place.get("location"))
        if not location or place.get("status") == "completed":
            continue
        names.append(location)
        stored = await desk.read(location)
        names.append(reference_of(stored.resource.get("managingOrganization")) if stored else "")
    names.append(first_reference([encounter.resource.get("serviceProvider")], "Organization"))
    return tuple(dict.fromkeys(name for name in names if name))

"""Who stands behind a ladder target, and by which contact route: Endpoints kept here, people and wards from order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slipring.fhir.service import Ahead, Desk, Resource

from slipring_critical.cases.facts import ROUTE_OF, first_reference, reference_of
from slipring_critical.directory.people import names_ahead, names_of, routes_in_force
from slipring_critical.directory.proving import ROUTES
from slipring_critical.directory.roster import NO_ROUTE, NOBODY
from slipring_critical.directory.schedules import ROSTERS, rosters
from slipring_critical.ladders.ladder import FALLBACK, Rung
from slipring_critical.ladders.targets import targets

NOT_NAMED = "not-named"  # the order names no requester, or nobody knows where the patient lies
# Communication.recipient takes people and organisations (R4); a ward's Location is named by the route alone.
WEBHOOK = "webhook"  # of the fallback route of the settings
_RECIPIENTS = ("Practitioner/", "PractitionerRole/", "Organization/")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ring one target; `endpoint` is '' for the fallback route of the settings.

    One that is unverified, overdue or failing rings, too: never silence.
    """

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
    gaps: Mapping[str, str] = field(default_factory=dict)  # office -> why its roster names nobody now

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

    def why(self, target: str) -> str:
        """Why a target has no route: nobody on call, not named by the order, or none registered."""
        named = target in self.holders or targets()[target].found == "office"
        return self.gaps.get(target) or (NO_ROUTE if named else NOT_NAMED)

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
    if order:
        requester, stay = (reference_of(order.resource.get(name)) for name in ("requester", "encounter"))
        ahead = names_ahead([requester])
        await desk.foresee(Ahead([stay, *ahead.references], ahead.queries))
    holders: dict[str, tuple[str, ...]] = {name: await names_of(desk, who) for name, who in people.items() if who}
    if order:
        holders["requester"] = await names_of(desk, reference_of(order.resource.get("requester")))
        holders["ward"] = await _ward(desk, order.resource)
    return await standing_behind(desk, holders, desk.now)


async def standing_behind(desk: Desk, holders: dict[str, tuple[str, ...]], at: datetime) -> Directory:
    """The directory at a moment: beside the targets known from the order whoever is on call for each office."""
    await desk.searches([ROSTERS, ROUTES])  # at once, to be found below
    gaps = await _on_call(desk, holders, at)
    return Directory(holders, await routes_in_force(desk), bool(desk.settings.fallback_route), gaps)


async def _on_call(desk: Desk, holders: dict[str, tuple[str, ...]], at: datetime) -> dict[str, str]:
    """Put whoever is on call behind each office; the offices that have a roster here and nobody on call, with the reason."""
    gaps: dict[str, str] = {}
    places = frozenset(holders.get("ward", ()))
    serving = [roster for roster in await rosters(desk, at, at) if roster.serves(places)]
    on_call = [(roster.target, roster.on_call(at, desk.settings.zone)) for roster in serving]
    await desk.foresee(names_ahead(person for _, people in on_call for person in people))
    for target, people in on_call:
        if not people:
            gaps[target] = NOBODY
        for person in people:
            known = holders.get(target, ())
            holders[target] = tuple(dict.fromkeys((*known, *await names_of(desk, person))))
    return {target: why for target, why in gaps.items() if target not in holders}


async def places_of(desk: Desk, request: str) -> tuple[str, ...]:
    """Where the patient of an order lies now: Location/... and Organization/..., none when nobody says."""
    order = await desk.read(request) if request else None
    return await _ward(desk, order.resource) if order else ()


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
        names += await place_and_keeper(desk, location)
    names.append(first_reference([encounter.resource.get("serviceProvider")], "Organization"))
    return tuple(dict.fromkeys(name for name in names if name))


async def place_and_keeper(desk: Desk, place: str) -> tuple[str, ...]:
    """A ward and the organisation that manages it; an organisation is itself."""
    stored = await desk.read(place) if place.startswith("Location/") else None
    keeper = reference_of(stored.resource.get("managingOrganization")) if stored else ""
    return tuple(name for name in (place, keeper) if name)

"""People as the directory knows them: under every name they may own a route by, and whether one of their routes works; what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

from slipring.fhir.outcome import forbidden
from slipring.fhir.service import Ahead, Desk, Resource, Stored
from slipring.staff.permission import Reason, may

from slipring_critical.cases.facts import ROUTE_OF, reference_of
from slipring_critical.channels import CHANNELS
from slipring_critical.directory.proving import ROUTES, VERIFIED, Rhythm, state_of
from slipring_critical.directory.roster import NO_ROUTE, NOT_VERIFIED

KEEP = "keep-roster"


def roles_of(person: str) -> str:
    """The search for the roles that a person (Practitioner/...) holds."""
    return f"PractitionerRole?practitioner={quote(person)}"


async def names_of(desk: Desk, reference: str) -> tuple[str, ...]:
    """A person himself and the roles he holds; a place or an organisation is itself."""
    if reference.startswith("PractitionerRole/"):
        role = await desk.read(reference)
        practitioner = reference_of(role.resource.get("practitioner")) if role else ""
        return tuple(name for name in (reference, practitioner) if name)
    if reference.startswith("Practitioner/"):
        roles = await desk.search(roles_of(reference))
        return (reference, *(role.reference for role in roles))
    return (reference,) if reference else ()


def name_said(person: Stored | None) -> str:
    """What a person is called; '' when nobody says."""
    for name in person.resource.get("name", []) if person else []:
        written = str(name.get("text", "")) or f"{name.get('family', '')}{''.join(name.get('given', []))}"
        if written:
            return written
    return ""


def names_ahead(people: Iterable[str]) -> Ahead:
    """What `names_of` is going to look at of several, to be foreseen at once."""
    every = list(dict.fromkeys(people))
    return Ahead(
        [one for one in every if one.startswith("PractitionerRole/")],
        [roles_of(one) for one in every if one.startswith("Practitioner/")],
    )


async def lacking(desk: Desk, act: str, who: str) -> list[Reason]:
    """What keeps a person (Practitioner/...) from an act of the staff register now; empty when he may."""
    if not who.startswith("Practitioner/"):
        return may(act, None, [], desk.now, zone=desk.settings.time_zone)
    await desk.foresee(Ahead([who], [roles_of(who)]))
    person = await desk.read(who)
    roles = await desk.search(roles_of(who)) if person else []
    known = person.resource if person else None
    return may(act, known, [role.resource for role in roles], desk.now, zone=desk.settings.time_zone)


async def demand_keeper(desk: Desk, kept_type: str) -> None:
    """A person who is signed in writes rosters and contact routes when the department says so; the hospital's systems by their scopes."""
    who = desk.caller.practitioner or ""
    lacks = await lacking(desk, KEEP, who) if who else []
    if lacks:
        raise forbidden(
            f"Rosters and contact routes are kept by whoever the department names: {lacks[0].en}",
            f"值班表和联系方式由科室指定人员维护：{lacks[0].zh}",
            at=kept_type,
            detail="critical.roster-keeper",
        )


async def routes_in_force(desk: Desk) -> list[Resource]:
    """Every active contact route."""
    return [one.resource for one in await desk.search(ROUTES)]


def owners_of(endpoint: Resource) -> Iterable[str]:
    """Whose a route is: references, and codes of offices."""
    for extension in endpoint.get("extension", []):
        if extension.get("url") == ROUTE_OF:
            yield reference_of(extension.get("valueReference")) or str(extension.get("valueCode", ""))


def lacks_routes(names: Sequence[str], endpoints: Iterable[Resource], now: datetime, rhythm: Rhythm) -> str:
    """What is wrong with the routes of somebody: no-route, or not-verified where none of them is; '' when nothing is."""
    own = [one for one in endpoints if reachable(names, [one])]
    if any(state_of(one, now, rhythm) == VERIFIED for one in own):
        return ""
    return NOT_VERIFIED if own else NO_ROUTE


def reachable(names: Sequence[str], endpoints: Iterable[Resource]) -> bool:
    """Whether somebody has a route of a channel that rings."""
    return any(
        endpoint["connectionType"].get("code") in CHANNELS and set(owners_of(endpoint)) & set(names)
        for endpoint in endpoints
    )

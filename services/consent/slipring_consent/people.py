"""Who gives contrast, who observes, and what each may do now."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.staff import Reason, may
from slipring.staff.facts import staff_facts

from slipring_consent.department import settings_of
from slipring_consent.reading import has_code, reference_of

PHYSICIAN_DECIDES = "decide-justification"  # the act of slipring.staff that a physician's decision needs


async def person_behind(desk: Desk, reference: str) -> str:
    """The Practitioner whom a role names, by reference; any other reference is itself."""
    stored = await desk.read(reference) if reference.startswith("PractitionerRole/") else None
    return reference_of(stored.resource.get("practitioner")) if stored is not None else reference


async def staff_behind(desk: Desk, reference: str) -> tuple[Resource | None, list[Resource]]:
    """The Practitioner named directly or by a role, and all roles held."""
    person = await person_behind(desk, reference)
    stored = await desk.read(person) if person.startswith("Practitioner/") else None
    if stored is None:
        return None, []
    roles = await desk.search(roles_of(person))
    return stored.resource, [role.resource for role in roles]


def roles_of(person: str) -> str:
    """The search for the roles that somebody (Practitioner/...) holds or held."""
    return f"PractitionerRole?practitioner={person}"


async def on_staff(reference: str, desk: Desk) -> str:
    """The Practitioner behind a reference who is on the staff register and active; empty when there is none."""
    practitioner, roles = await staff_behind(desk, reference)
    facts = staff_facts(practitioner, roles, desk.now, zone=settings_of(desk).time_zone)
    return f"Practitioner/{practitioner['id']}" if practitioner is not None and facts.active else ""


async def lacking(act: str, person: str, desk: Desk) -> list[Reason]:
    """Why a person, named directly or by a role, may not do an act now; empty when he may."""
    practitioner, roles = await staff_behind(desk, person) if person else (None, [])
    return may(act, practitioner, roles, desk.now, zone=settings_of(desk).time_zone)


FUNCTION = f"{CANONICAL}/CodeSystem/administration-function"


def people_of(administration: Resource) -> tuple[list[str], bool]:
    """Who gives, and whether an observer is named."""
    givers, observer = [], False
    for performer in administration.get("performer", []):
        actor = reference_of(performer.get("actor"))
        if has_code(performer.get("function"), FUNCTION, "observer"):
            observer = observer or bool(actor)
        elif actor:
            givers.append(actor)
    return givers, observer


def observer_of(administration: Resource) -> str:
    """Who is named to observe; empty when nobody is."""
    watching = (
        one for one in administration.get("performer", []) if has_code(one.get("function"), FUNCTION, "observer")
    )
    return next(filter(None, (reference_of(one.get("actor")) for one in watching)), "")


async def unqualified_among(performers: Iterable[str], desk: Desk) -> list[Reason]:
    """Why none of those named may give contrast; empty when one may."""
    nearest: list[Reason] = []
    for performer in performers:
        reasons = await lacking("give-contrast", performer, desk)
        if not reasons:
            return []
        if not nearest or len(reasons) < len(nearest):
            nearest = reasons
    return nearest

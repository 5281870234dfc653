"""Who a reference to a person stands for: the person and the roles held."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Desk, Resource
from slipring.staff import Reason, may

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


async def answering(named: str, at: str, desk: Desk) -> str:
    """Who answers: the caller himself where he is a person, else whom `named` names; 422 when he names somebody else."""
    caller = desk.caller.practitioner or ""
    person, _ = await person_and_roles(named, desk) if caller and named else (None, [])
    if person is not None and f"Practitioner/{person['id']}" != caller:
        raise unprocessable(
            "Whoever is signed in acts in his own name.",
            "登录者只能以本人名义操作。",
            at=at,
            detail="order.in-own-name",
        )
    return caller or named


async def may_any(acts: Sequence[str], reference: str, desk: Desk) -> list[Reason]:
    """What a person lacks for each of these acts; empty when he may do one, else what he lacks for the nearest."""
    person, roles = await person_and_roles(reference, desk)
    found = [may(act, person, roles, desk.now, zone=desk.settings.time_zone) for act in acts]
    return min(found, key=len)


def demand(lacks: Sequence[Reason], at: str, *, recorded: bool = False) -> None:
    """Refuse with everything that a person lacks for an act, at the element that names him.

    403 for what he asks to do; 422 for what is `recorded` to have been done by him.
    """
    if lacks:
        status, code = (422, "business-rule") if recorded else (403, "forbidden")
        raise FhirError(status, [Issue(code, zh=r.zh, en=r.en, at=at, detail=f"staff.{r.code}") for r in lacks])

"""Who does a piece of the reading room's work: named, in his own name, on the staff register, and allowed to."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Call, Desk

from slipring_report.reading import reference_of
from slipring_report.signatures.people import lacking


async def acting(call: Call, desk: Desk, act: str, name: str = "by") -> str:
    """The Practitioner who does it: the caller's person, or the one that a system names; refused with all he lacks."""
    who = await _named(call, desk, name)
    await demand_allowed(who, act, call.at(name), desk)
    return who


async def person_acting(call: Call, desk: Desk, name: str = "by") -> str:
    """The Practitioner who does what anybody on the staff register may do."""
    who = await _named(call, desk, name)
    person = await desk.read(who) if who.startswith("Practitioner/") else None
    if person is None or person.resource.get("active") is False:
        raise unprocessable(
            "This person is not on the staff register, or no longer active.",
            "该人员未登记或已停用。",
            at=call.at(name),
            code="not-found",
            detail="report.work-person-unknown",
        )
    return who


async def _named(call: Call, desk: Desk, name: str) -> str:
    stated = await person_behind(reference_of(call.value(name)), desk)
    caller = desk.caller.practitioner or ""
    if not (stated or caller):
        raise unprocessable(
            "This is done by a named person: say who (Reference to a Practitioner or PractitionerRole).",
            "该操作须注明执行人（Practitioner 或 PractitionerRole 的引用）。",
            at=call.at(name),
            code="required",
            detail="report.work-person-missing",
        )
    if stated and caller and stated != caller:
        raise unprocessable(
            "Whoever is signed in works in his own name.",
            "登录者只能以本人名义操作。",
            at=call.at(name),
            detail="report.work-own-name",
        )
    return stated or caller


async def demand_allowed(who: str, act: str, at: str, desk: Desk) -> None:
    """Refuse with everything that a person lacks for an act of the staff register."""
    if lacks := await lacking(act, who, desk):
        issues = [Issue("business-rule", zh=one.zh, en=one.en, at=at, detail=f"staff.{one.code}") for one in lacks]
        raise FhirError(422, issues)


async def person_behind(reference: str, desk: Desk) -> str:
    """The Practitioner whom a role names; any other reference is itself."""
    role = await desk.read(reference) if reference.startswith("PractitionerRole/") else None
    return reference_of(role.resource.get("practitioner")) if role else reference

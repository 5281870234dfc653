"""The staff register: competence and suspension are written by the service and by nobody else (5.1.6)."""

from __future__ import annotations

from datetime import date

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write, successor
from slipring.staff import may
from slipring.staff.facts import QUALIFICATION_SYSTEM, ROLE_SYSTEM

from slipring_order.department.competence import SUSPENSION, ended, entry, owned
from slipring_order.department.suspension import as_provenance, reasons
from slipring_order.handlers.reminding import reminder
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import codes, has_system, moment, reference_of


async def practitioner_written(write: Write, desk: Desk) -> Changes:
    """Keep what the service wrote: left out it comes back, altered it is refused; history may bring its own."""
    if write.imported or write.method == "delete":
        return _reminder(write)
    stood = [one for one in (write.before.resource if write.before else {}).get("qualification", []) if owned(one)]
    given = [(place, one) for place, one in enumerate(write.resource.get("qualification", [])) if owned(one)]
    if not given:
        return Changes(append={"qualification": stood} if stood else {}).plus(_reminder(write))
    altered = [place for place, one in given if one not in stood]
    kept = [one for _, one in given]
    if altered or len(kept) != len(stood) or any(one not in kept for one in stood):
        raise unprocessable(
            "Competence and suspension follow from assessments and suspensions; they are not written by hand.",
            "能力评估与授权暂停由评估和暂停记录产生，不可直接填写。",
            at=f"Practitioner.qualification[{altered[0] if altered else given[0][0]}]",
            detail="order.competence-follows-assessment",
        )
    return _reminder(write)


async def suspended(call: Call, desk: Desk) -> Changes:
    """`Practitioner/[id]/$suspend`: end the competence from a day on, by a named person, with a coded reason.

    It stands until training and a passed assessment of that day or later are on record.
    """
    target = _target(call)
    who = await _decider(call, desk)
    reason = call.value("reason") or {}
    if not set(codes(reason)) & set(reasons()):
        known = ", ".join(reasons())
        raise unprocessable(
            f"`reason` is one of: {known}.",
            f"reason 须为下列之一：{known}。",
            at=call.at("reason"),
            code="code-invalid",
            detail="order.suspension-reason",
        )
    day = _day(call, desk)
    record = as_provenance(target, who, reason, id=desk.new_id(), now=desk.now)
    held = ended(target.resource.get("qualification", []), day)
    held.append(entry(SUSPENSION, day, None, f"Provenance/{record['id']}"))
    save = successor(target, qualification=held)
    return Changes(save=[save, Save(record)], answer=save.resource)


async def role_written(write: Write, desk: Desk) -> Changes:
    """Who takes up or leaves a duty owes other things from then on."""
    duties = any(has_system(concept, ROLE_SYSTEM) for concept in write.resource.get("code", []))
    return reminder(reference_of(write.resource.get("practitioner"))) if duties else Changes.none()


def _reminder(write: Write) -> Changes:
    """Only whoever stands on the staff register with a qualification has something that lapses."""
    held = write.resource.get("qualification", [])
    on_register = any(has_system(one.get("code"), QUALIFICATION_SYSTEM) for one in held)
    return reminder(write.reference) if on_register and write.method != "delete" else Changes.none()


def _target(call: Call) -> Stored:
    if call.target is None:
        raise unprocessable("Name the person.", "请指明人员。", at="Practitioner", detail="order.suspension-of-whom")
    return call.target


async def _decider(call: Call, desk: Desk) -> str:
    named = desk.caller.practitioner or reference_of(call.value("performer"))
    person, roles = await person_and_roles(named, desk) if named else (None, [])
    demand(may("suspend-authorisation", person, roles, desk.now, zone=desk.settings.time_zone), call.at("performer"))
    return _reference(person)


def _reference(person: Resource | None) -> str:
    return f"Practitioner/{(person or {})['id']}"


def _day(call: Call, desk: Desk) -> date:
    today = desk.now.astimezone(desk.settings.zone).date()
    said = call.value("from")
    at = moment(said, desk.settings.zone) if said else desk.now
    day = at.astimezone(desk.settings.zone).date() if at else None
    if day is None or day > today:
        raise unprocessable(
            "`from` is a day up to today.",
            "from 须为不晚于今天的日期。",
            at=call.at("from"),
            code="value",
            detail="order.suspension-day",
        )
    return day

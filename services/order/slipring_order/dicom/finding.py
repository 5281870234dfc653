"""From the desk to worklist entries: as few searches as there are types, narrowed by what was asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from urllib.parse import quote

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order.dicom.entry import AE_TITLE_SYSTEM, Entry, ae_title_of, in_zone
from slipring_order.dicom.keys import same
from slipring_order.dicom.patient_state import ASKED_BY, with_states
from slipring_order.dicom.settings import Peer
from slipring_order.dicom.worklist import Asked, in_order, matches
from slipring_order.people import person_and_roles
from slipring_order.reading import instant, reference_of, sought
from slipring_order.resources import ACSN_SYSTEM, TASK_CODE_SYSTEM
from slipring_order.rooms.day import rooms_data
from slipring_order.rooms.scanner import CT_TYPES
from slipring_order.rooms.scanners import fit_among
from slipring_order.rooms.step import STEP_CODE, STEP_SYSTEM, UID_SYSTEM, WAITING, ScheduledStep, read_step

_STEPS = f"Task?code={TASK_CODE_SYSTEM}|{STEP_CODE}&status={WAITING}"
_AT_ONCE = 200  # references in one search
_NARROW = 600  # up to so many appointments it pays to look for their steps alone
_EVER = ("19000101", "29991231")  # ends of a range that mean none
_PEOPLE = ("ReferringPhysicianName", "RequestingPhysician")


async def found_entries(asked: Asked, peers: Mapping[str, Peer], desk: Desk) -> tuple[list[Entry], list[str]]:
    """The entries that match, in the order of the day, and what they were made of.

    A scanner that is out of service or out of limits has no entries (CNAS-CL02-A011 5.3.1.4).
    """
    scanners = await fit_scanners(asked.step_keys.get("ScheduledStationAETitle", ""), peers, desk)
    if not scanners:
        return [], []
    steps = [step for step in await _steps(asked, list(scanners), desk) if step.scanner in scanners]
    patients, requests, rooms = await asyncio.gather(
        _by_reference("Patient", (step.patient for step in steps), desk),
        _by_reference("ServiceRequest", (step.request for step in steps), desk),
        _rooms(scanners.values(), desk),
    )
    zone = desk.settings.zone
    found = []
    for step in steps:
        device, ae_title = scanners[step.scanner]
        room = rooms.get(reference_of(device.get("location")), {})
        known = (patients.get(step.patient, {}), requests.get(step.request, {}))
        one = Entry(step, ae_title, *known, device, {}, room, in_zone(step, zone))
        found.append(one)
    people = any(name in asked.identifier for name in _PEOPLE)
    sought_by_people = any(asked.keys.get(name) for name in _PEOPLE)
    if sought_by_people:
        found = await _with_requesters(found, desk)
    chosen = in_order(one for one in found if matches(asked, one))
    if people and not sought_by_people:
        chosen = await _with_requesters(chosen, desk)
    if any(name in asked.identifier for name in ASKED_BY):
        chosen = await with_states(chosen, desk)
    return chosen, [reference for one in chosen for reference in (one.step.reference, one.step.patient)]


async def fit_scanners(wanted: str, peers: Mapping[str, Peer], desk: Desk) -> dict[str, tuple[Resource, str]]:
    """The scanners that may scan now and whose AE title matches: Device and AE title by reference."""
    given = {peer.device: peer.ae_title for peer in peers.values() if peer.device}
    titles_wanted = wanted.split("\\")  # some ask for a list of stations
    asked, titles = [], {}
    for device in await desk.search(f"Device?type={','.join(sorted(CT_TYPES))}"):
        ae_title = given.get(device.reference) or ae_title_of(device.resource)
        if not device.source and ae_title and any(same(one, ae_title) for one in titles_wanted):
            asked.append(device)
            titles[device.reference] = ae_title
    return {one.reference: (one.resource, titles[one.reference]) for one in await fit_among(asked, desk)}


async def scanner_of_ae(ae_title: str, peers: Mapping[str, Peer], desk: Desk) -> str:
    """The Device that calls itself by an AE title; empty when none is registered."""
    peer = peers.get(ae_title)
    if peer and peer.device:
        return peer.device
    found = await desk.search(f"Device?identifier={AE_TITLE_SYSTEM}|{quote(ae_title, safe='')}")
    return found[0].reference if len(found) == 1 else ""


async def _steps(asked: Asked, scanners: Sequence[str], desk: Desk) -> list[ScheduledStep]:
    """The waiting steps that may match."""
    narrowed = _narrowed(asked)
    if not narrowed and (asked.on.first or asked.on.last):
        requests = await _requests_on(asked, scanners, desk)
        if len(requests) <= _NARROW:
            return _read(await _in_parts(f"{_STEPS}&focus=", requests, desk))
    narrowed = narrowed or f"&owner={','.join(scanners)}{_narrowed_by_name(asked)}"
    return _read(await desk.search(f"{_STEPS}{narrowed}"))


def _narrowed(asked: Asked) -> str:
    """What the search itself can hold against the keys: numbers that name few steps."""
    number = asked.exact("AccessionNumber") or asked.exact("RequestedProcedureID")
    if number:
        return f"&group-identifier={ACSN_SYSTEM}|{quote(number, safe='')}"
    if step := asked.exact("ScheduledProcedureStepID"):
        return f"&identifier={STEP_SYSTEM}|{quote(step, safe='')}"
    if studies := [one for one in asked.keys.get("StudyInstanceUID", "").split("\\") if one]:
        return "&identifier=" + ",".join(f"{UID_SYSTEM}|urn:oid:{quote(one, safe='')}" for one in studies[:_AT_ONCE])
    if patient := asked.exact("PatientID"):
        return f"&patient.identifier={sought(patient)}"
    return ""


def _narrowed_by_name(asked: Asked) -> str:
    """What the search can hold against every part of every name: how the name begins, which an index knows, else a piece."""
    wanted = asked.keys.get("PatientName", "")
    if "\\" in wanted:
        return ""
    begins = [re.split(r"[*?^]", group, maxsplit=1)[0].strip() for group in wanted.split("=")]
    if beginning := max(begins, key=len):
        return f"&patient.name={sought(beginning)}"
    longest = max(re.split(r"[*?^=]", wanted), key=len).strip()
    return f"&patient.name:contains={sought(longest)}" if longest else ""


async def _requests_on(asked: Asked, scanners: Sequence[str], desk: Desk) -> list[str]:
    """The requests with an appointment on these scanners on the days asked for."""
    status = ",".join(rooms_data()["appointments"]["holding"])
    query = f"Appointment?actor={','.join(scanners)}&status={status}"
    if asked.on.first > _EVER[0]:
        query += f"&date=ge{_midnight(asked.on.first, desk)}"
    if asked.on.last and asked.on.last < _EVER[1]:
        query += f"&date=lt{_midnight(asked.on.last, desk, later=timedelta(days=1))}"
    found = await desk.search(query)
    wanted = [reference_of(one) for appointment in found for one in appointment.resource.get("basedOn", [])]
    return list(dict.fromkeys(one for one in wanted if one.startswith("ServiceRequest/")))


def _midnight(day: str, desk: Desk, *, later: timedelta = timedelta(0)) -> str:
    begins = datetime.combine(datetime.strptime(day, "%Y%m%d").date() + later, time.min, desk.settings.zone)  # noqa: DTZ007 - a day
    return instant(begins)


async def _by_reference(kind: str, references: Iterable[str], desk: Desk) -> dict[str, Resource]:
    wanted = sorted({one.partition("/")[2] for one in references if one.startswith(f"{kind}/")})
    return {one.reference: one.resource for one in await _in_parts(f"{kind}?_id=", wanted, desk)}


async def _rooms(scanners: Iterable[tuple[Resource, str]], desk: Desk) -> dict[str, Resource]:
    return await _by_reference("Location", (reference_of(device.get("location")) for device, _ in scanners), desk)


async def _with_requesters(found: Sequence[Entry], desk: Desk) -> list[Entry]:
    people = await _by_reference("Practitioner", (reference_of(one.request.get("requester")) for one in found), desk)
    answer = []
    for one in found:
        reference = reference_of(one.request.get("requester"))
        if reference and reference not in people:
            people[reference] = (await person_and_roles(reference, desk))[0] or {}
        answer.append(
            Entry(
                one.step,
                one.ae_title,
                one.patient,
                one.request,
                one.scanner,
                people.get(reference, {}),
                one.room,
                one.begins_at,
            )
        )
    return answer


async def _in_parts(query: str, values: Sequence[str], desk: Desk) -> list[Stored]:
    found: list[Stored] = []
    for begin in range(0, len(values), _AT_ONCE):
        found += await desk.search(query + ",".join(values[begin : begin + _AT_ONCE]))
    return [one for one in found if not one.source]


def _read(tasks: Iterable[Stored]) -> list[ScheduledStep]:
    found = []
    for task in tasks:
        try:
            found.append(read_step(task.resource))
        except (LookupError, ValueError):  # a step that somebody imported without a time has no line
            continue
    return found

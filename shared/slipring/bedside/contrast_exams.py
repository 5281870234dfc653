"""The contrast exams of a day, and one of them: gathered in few searches, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta, tzinfo

from slipring.bedside.standing import ContrastExam
from slipring.department import names
from slipring.department.bookings import bookings_on, scanners
from slipring.department.exams import OPEN, STATE_SYSTEM, Exam, exams_of, exams_where
from slipring.department.findings import found_in
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import not_found

_HERE = ("arrived", "ready", "in-progress")
_LOOKED_BACK = timedelta(hours=36)  # an observation or a reaction may belong to an injection of yesterday evening
_TASKS = "screening,observation,notice,late-record,nonconformity"
Asked = tuple[str, str]


async def contrast_exams_today(hand: Hand, now: datetime, zone: tzinfo) -> list[ContrastExam]:
    """Who is here, booked today, in the green channel, scanned today or still observed, the most urgent first."""
    day = now.astimezone(zone).date()
    begin = datetime.combine(day, time(), zone)
    every = await scanners(hand) or []
    watched, booked, *near = await asyncio.gather(
        hand.found("Task", [("code", "observation"), ("status", "in-progress,ready"), ("_count", "200")]),
        bookings_on(hand, every, day, zone),
        exams_where(hand, [_in(_HERE)], findings=False),
        exams_where(hand, [_in(OPEN), ("priority", "stat")], findings=False),
        exams_where(hand, [_in(("acquired", "reported")), ("modified", f"ge{begin.isoformat()}")], findings=False),
    )
    known = {exam.id: exam for exams in near for exam in exams}
    others = {one.request for one in booked if one.request} | {_exam_id(one) for one in watched}
    more = await exams_of(hand, "focus", (f"ServiceRequest/{one}" for one in others - set(known) if one))
    found = await with_contrast(hand, [*known.values(), *more], now)
    return sorted(found, key=lambda one: one.urgency(now))


async def contrast_exam(hand: Hand, request_id: str, now: datetime) -> ContrastExam:
    """One contrast exam by its request; 404 when there is none."""
    exams = await exams_of(hand, "focus", [f"ServiceRequest/{request_id}"])
    found = await with_contrast(hand, exams, now)
    if not found:
        raise not_found("ServiceRequest")
    return found[0]


async def with_contrast(hand: Hand, exams: Sequence[Exam], now: datetime) -> list[ContrastExam]:
    """Those of the exams for which contrast is asked (consent opened a screening), with what is kept about them."""
    requests = [f"ServiceRequest/{exam.id}" for exam in exams]
    tasks = await hand.about("Task", "focus", requests, ("code", _TASKS)) or []
    screenings = {names.reference_in(one.get("focus")): one for one in tasks if _is(one, "screening")}
    asked = [exam for exam in exams if f"ServiceRequest/{exam.id}" in screenings]
    requests = [f"ServiceRequest/{exam.id}" for exam in asked]
    patients = sorted({names.reference_in(exam.task.get("for")) for exam in asked} - {""})
    since = ("_lastUpdated", f"ge{(now - _LOOKED_BACK).isoformat()}")
    responses, consents, injections, reactions, issues = await asyncio.gather(
        hand.about("QuestionnaireResponse", "based-on", requests),
        hand.about("Consent", "data", requests),
        hand.about("MedicationAdministration", "subject", patients, since),
        hand.about("AdverseEvent", "subject", patients, since),
        hand.about("DetectedIssue", "implicated", requests),
    )
    mine = [one for one in injections or [] if _supports(one) in requests]
    answered = [f"QuestionnaireResponse/{one['id']}" for one in responses or []]
    about, more = await asyncio.gather(
        hand.about("Task", "focus", [f"MedicationAdministration/{one['id']}" for one in mine], ("code", _TASKS)),
        hand.about("DetectedIssue", "implicated", answered),
    )
    found = None if issues is None or more is None else [*issues, *more]
    return [
        ContrastExam(
            exam=exam,
            screening=screenings[request],
            responses=_of(responses, "basedOn", request),
            consents=None if consents is None else [one for one in consents if request in _exams_of_consent(one)],
            injections=None if injections is None else [one for one in mine if _supports(one) == request],
            tasks=[one for one in [*tasks, *(about or [])] if _belongs(one, request, mine)],
            reactions=_of(reactions, "subject", names.reference_in(exam.task.get("for"))),
            findings=None if found is None else found_in(_about(found, _answers(request, responses or []))),
            tries=None if found is None else found_in(_about(found, {request})),
        )
        for exam in asked
        for request in [f"ServiceRequest/{exam.id}"]
    ]


def _of(resources: list[Tree] | None, member: str, reference: str) -> list[Tree] | None:
    if resources is None:
        return None
    return [one for one in resources if reference in _references(one.get(member))]


def _references(member: Tree | list[Tree] | None) -> list[str]:
    entries = member if isinstance(member, list) else [member] if member else []
    return [str(one.get("reference", "")) for one in entries]


def _belongs(task: Tree, request: str, injections: Iterable[Tree]) -> bool:
    focus = names.reference_in(task.get("focus"))
    own = {f"MedicationAdministration/{one['id']}" for one in injections if _supports(one) == request}
    return focus == request or focus in own


def _answers(request: str, responses: Iterable[Tree]) -> set[str]:
    return {f"QuestionnaireResponse/{one['id']}" for one in responses if request in _references(one.get("basedOn"))}


def _about(issues: Iterable[Tree], about: set[str]) -> list[Tree]:
    """What consent found about these; what was put aside is left out, order's findings are its own."""
    return [
        one
        for one in issues
        if one.get("status") != "cancelled"
        and about & set(_references(one.get("implicated")))
        and any(str(coding.get("code", "")).startswith("consent.") for coding in one.get("code", {}).get("coding", []))
    ]


def _exams_of_consent(consent: Tree) -> list[str]:
    return [names.reference_in(one.get("reference")) for one in consent.get("provision", {}).get("data", [])]


def _supports(administration: Tree) -> str:
    every = _references(administration.get("supportingInformation"))
    return next((one for one in every if one.startswith("ServiceRequest/")), "")


def _exam_id(task: Tree) -> str:
    return names.reference_in(task.get("basedOn")).rpartition("/")[2]


def _is(task: Tree, code: str) -> bool:
    return code in names.codes(task.get("code")) and task.get("status") not in ("cancelled", "entered-in-error")


def _in(states: Iterable[str]) -> Asked:
    return ("business-status", ",".join(f"{STATE_SYSTEM}|{state}" for state in states))

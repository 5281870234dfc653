"""Which indicators order feeds, and what each of its records says of them: read from the record alone. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.findings import rule_of
from slipring.fhir.search.moment import counts as days_count
from slipring.fhir.service import Resource
from slipring.qc.indicators.dose import dose_populations, population_of
from slipring.qc.indicators.row import Counted, counted
from slipring.quality import life as quality

from slipring_order.dose.compared import compared
from slipring_order.dose.stored import counts as is_dose
from slipring_order.grading.graded import graded
from slipring_order.life.stopped import WRONG, rule
from slipring_order.lifecycle import SCANNED
from slipring_order.reading import moment, reference_of
from slipring_order.resources import CONTRAST_CONDITION, is_exam, state_of
from slipring_order.rooms.appointments import given_back, is_block, request_in, scanner_in
from slipring_order.satisfaction.answered import opinion

FORM = "order-3"
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_CALLED_OFF = ("cancelled", "rejected", "entered-in-error")
_WITHOUT_CONTRAST = frozenset({"", "not-needed", "refused"})
_ERRORS = frozenset(map(rule, WRONG))
_VOID = ("cancelled", "entered-in-error")


def counts(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """What indicators count of a resource; nothing of most."""
    reader = _READERS.get(resource["resourceType"])
    return tuple(reader(resource, zone)) if reader else ()


def promised(priority: str, day: date) -> timedelta:
    """Within what time of its request an exam is promised, by the newest promise that has begun."""
    entries = [one for one in _promises()["promise"] if one["from"] <= day]
    newest = max(entries or _promises()["promise"][:1], key=lambda one: one["from"])
    return timedelta(minutes=newest["minutes"].get(priority, newest["minutes"]["routine"]))


@cache
def _promises() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "promised.toml").read_text(encoding="utf-8"))


def _task(task: Resource, zone: tzinfo) -> Iterator[Counted]:
    if is_exam(task):
        yield from _exam(task, zone)
    elif quality.kind_of(task) == "complaint" and task.get("status") != "entered-in-error":
        yield from _complaint(task, zone)


def _exam(task: Resource, zone: tzinfo) -> Iterator[Counted]:
    """The exam by when it began, and the same by when it was promised."""
    request, asked = reference_of(task.get("focus")), moment(task.get("authoredOn"), zone)
    if not request or asked is None or not days_count(asked):
        return
    period = task.get("executionPeriod", {})
    began, ended = moment(period.get("start"), zone), moment(period.get("end"), zone)
    acquired = state_of(task) in SCANNED
    over = (ended or began) if acquired else None
    priority, requester = str(task.get("priority", "routine")), reference_of(task.get("requester"))
    marks = ["acquired" if acquired else "", "cancelled" if state_of(task) == "cancelled" else "", *_urgent(priority)]
    marks.append("contrast" if _with_contrast(task) else "")
    took = (over - asked) / _MINUTE if over else None
    yield counted("exam", request, began or asked, marks, value=took, requester=requester)
    if state_of(task) in _CALLED_OFF:
        return
    due = asked + promised(priority, asked.astimezone(zone).date())
    done = ["done", "in-time" if over <= due else ""] if over else []
    yield counted("exam-due", request, due, [*done, *_urgent(priority)], value=took, requester=requester)


def _urgent(priority: str) -> list[str]:
    return [priority] if priority in ("stat", "urgent", "asap") else []


def _with_contrast(task: Resource) -> bool:
    shown = (e.get("valueCode", "") for e in task.get("extension", []) if e.get("url") == CONTRAST_CONDITION)
    return next((str(code) for code in shown), "") not in _WITHOUT_CONTRAST


def _complaint(task: Resource, zone: tzinfo) -> Iterator[Counted]:
    received, state = moment(task.get("authoredOn"), zone), quality.state_of(task)
    if received is None:
        return
    # Of records that do not say when they were closed the last change is the nearest that is known.
    said = task.get("executionPeriod", {}).get("end") or task.get("lastModified")
    closed = moment(said, zone) if state == quality.CLOSED else None
    days = (closed - received) / _DAY if closed else None
    yield counted("complaint", f"Task/{task['id']}", received, [state] if state != quality.OPENED else [], value=days)


def _issue(issue: Resource, zone: tzinfo) -> Iterator[Counted]:
    """That a named person found an exam wrong is said of the exam, whenever it was."""
    at = moment(issue.get("identifiedDateTime"), zone)
    if rule_of(issue) not in _ERRORS or issue.get("status") in _VOID or at is None:
        return
    for about in map(reference_of, issue.get("implicated", [])):
        if about.startswith("ServiceRequest/"):
            yield counted("exam", about, at, ["error"], remark=True)


def _appointment(appointment: Resource, zone: tzinfo) -> Iterator[Counted]:
    """Where an exam is made."""
    at, request, scanner = moment(appointment.get("start"), zone), request_in(appointment), scanner_in(appointment)
    if at is None or not request or not scanner or is_block(appointment) or given_back(appointment):
        return
    for population in ("exam", "exam-due"):
        yield counted(population, request, at, remark=True, scanner=scanner)


def _observation(observation: Resource, zone: tzinfo) -> Iterator[Counted]:
    """The dose of an exam, by what it is compared as."""
    found, at = compared(observation), moment(observation.get("effectiveDateTime"), zone)
    if found is None or at is None or not is_dose(observation):
        return
    named = [
        one for each in observation.get("basedOn", []) if (one := reference_of(each)).startswith("ServiceRequest/")
    ]
    member, scanner = next(iter(named), f"Observation/{observation['id']}"), reference_of(observation.get("device"))
    for quantity, value in found.values.items():
        population = population_of(found.exam, quantity)
        if population in dose_populations():
            yield counted(population, member, at, [found.band], value=float(value), scanner=scanner)


def _response(response: Resource, zone: tzinfo) -> Iterator[Counted]:
    found, at = opinion(response), moment(response.get("authored"), zone)
    if found is not None and at is not None:
        marks = [found.of, "satisfied" if found.satisfied else "", "complaint" if found.complains else ""]
        yield counted("satisfaction", f"QuestionnaireResponse/{response['id']}", at, marks, value=found.mean)
    sheet = graded(response)
    if sheet is not None and at is not None:
        yield counted("image-sheet", sheet.exam, at, sheet.marks)


_READERS = {
    "Task": _task,
    "DetectedIssue": _issue,
    "Appointment": _appointment,
    "QuestionnaireResponse": _response,
    "Observation": _observation,
}

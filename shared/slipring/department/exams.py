"""Exams as the pages show them: each exam's Task with its request, patient and findings, gathered in few searches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slipring.department import names
from slipring.department.findings import Found, found_in
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree, in_portions
from slipring.fhir.service import CANONICAL

STATE_SYSTEM = f"{CANONICAL}/CodeSystem/exam-state"
# Where an exam waits for somebody of the department, or for the ward.
OPEN = (
    "received",
    "awaiting-information",
    "awaiting-justification",
    "justified",
    "scheduled",
    "arrived",
    "ready",
    "in-progress",
)
MADE = ("acquired", "reported", "closed")  # where an exam has images
# What comes along with exams' Tasks.
INCLUDED = (("_include", "Task:focus"), ("_include", "Task:patient"), ("_include:iterate", "ServiceRequest:requester"))
_AT_ONCE = 100  # exams on one page of a search
_PRIORITIES = ("stat", "asap", "urgent", "routine")
_MARKS = {
    "awaiting-information": "warn", "awaiting-justification": "warn", "rejected": "bad", "discontinued": "bad",
    "justified": "good", "arrived": "good", "ready": "good", "in-progress": "good", "acquired": "good",
    "reported": "good", "closed": "good",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exam:
    """One exam with what is known around it; `findings` is None when the person's roles do not open them."""

    task: Tree
    request: Tree
    patient: Tree | None = None
    requester: Tree | None = None
    findings: list[Found] | None = field(default_factory=list)

    @property
    def id(self) -> str:
        """The request's id, by which the pages call an exam."""
        return str(self.request.get("id") or names.reference_in(self.task.get("focus")).rpartition("/")[2])

    @property
    def reference(self) -> str:
        """The exam's Task."""
        return f"Task/{self.task['id']}"

    @property
    def number(self) -> str:
        """The unique imaging number."""
        return names.imaging_number(self.task) or names.imaging_number(self.request)

    @property
    def state(self) -> str:
        """The exam's state."""
        return names.code_in(self.task.get("businessStatus"), "exam-state")

    @property
    def state_words(self) -> Pair:
        """The state in both languages."""
        for coding in self.task.get("businessStatus", {}).get("coding", []):
            if coding.get("system") == STATE_SYSTEM:
                return names.coding_words(coding)
        return ("", "")

    @property
    def mark(self) -> str:
        """How the state's mark looks."""
        return _MARKS.get(self.state, "")

    @property
    def priority(self) -> str:
        """How urgent it is, as the request says now."""
        return str(self.request.get("priority") or self.task.get("priority") or "routine")

    @property
    def urgency(self) -> tuple[int, datetime]:
        """What comes first: the more urgent, then what waits longest."""
        return (_PRIORITIES.index(self.priority) if self.priority in _PRIORITIES else len(_PRIORITIES), self.since)

    @property
    def since(self) -> datetime:
        """Since when it stands as it does."""
        found = names.moment(self.task.get("lastModified")) or names.moment(self.task.get("authoredOn"))
        return found or datetime.fromisoformat(str(self.task["meta"]["lastUpdated"]))

    @property
    def received(self) -> datetime | None:
        """When the request reached the department."""
        return names.moment(self.task.get("authoredOn"))

    @property
    def name(self) -> str:
        """The patient's name."""
        return names.person(self.patient)

    @property
    def patient_number(self) -> str:
        """The patient's number."""
        return names.patient_number(self.patient)

    @property
    def born(self) -> str:
        """The patient's date of birth as it is recorded."""
        return str((self.patient or {}).get("birthDate", ""))

    @property
    def sex(self) -> str:
        """The patient's administrative sex, as its FHIR code."""
        return str((self.patient or {}).get("gender", ""))

    @property
    def examination(self) -> Pair:
        """What is to be examined."""
        return names.concept_words(self.request.get("code"))

    @property
    def asked_by(self) -> str:
        """Who asked for it."""
        return names.person(self.requester)

    @property
    def missing(self) -> list[Pair]:
        """What the request lacks, item by item."""
        reason = self.task.get("statusReason") or {}
        return [
            names.coding_words(coding) for coding in reason.get("coding", []) if self.state == "awaiting-information"
        ]

    @property
    def reason(self) -> Pair:
        """Why it stands as it does, as the Task says it."""
        return names.concept_words(self.task.get("statusReason"))

    @property
    def waits_for(self) -> list[Found]:
        """The findings that nobody has answered and that are more than a note."""
        return [one for one in self.findings or [] if one.open and one.weight != "info"]

    def waited(self, now: datetime) -> timedelta:
        """How long it has stood as it does."""
        return max(now - self.since, timedelta(0))


async def exams_where(hand: Hand, asked: Sequence[tuple[str, str]], *, findings: bool = True) -> list[Exam]:
    """The exams that a search over their Tasks finds, all of them, the most urgent first."""
    way = [*asked, ("code", "exam"), *INCLUDED, ("_sort", "authored-on"), ("_count", str(_AT_ONCE))]
    exams = await exams_in(hand, await hand.found("Task", way), findings=findings)
    return sorted(exams, key=lambda exam: exam.urgency)


async def exams_in(hand: Hand, found: Sequence[Tree], *, findings: bool = True) -> list[Exam]:
    """The exams among the answers to a search over Tasks, in their order."""
    by_reference = {f"{one['resourceType']}/{one['id']}": one for one in found}
    tasks = [one for one in found if one["resourceType"] == "Task"]
    about = await _findings(hand, [names.reference_in(task.get("focus")) for task in tasks]) if findings else {}
    return [_exam(task, by_reference, about) for task in tasks]


async def exams_of(hand: Hand, parameter: str, references: Iterable[str]) -> list[Exam]:
    """The exams by their requests (`focus`) or Tasks (`_id`), without findings; asked for in portions."""
    every = sorted(set(references))
    ways = [[(parameter, ",".join(portion))] for portion in in_portions(every)]
    found = await asyncio.gather(*(exams_where(hand, way, findings=False) for way in ways))
    return [exam for exams in found for exam in exams]


async def patients_of(hand: Hand, tasks: Sequence[Tree], exams: Iterable[Exam]) -> dict[str, Tree]:
    """The patients whom these Tasks are for, by reference; those who came along with the exams are not asked for again."""
    known = {f"Patient/{one.patient['id']}": one.patient for one in exams if one.patient}
    named = {names.reference_in(task.get("for")) for task in tasks} - {"", *known}
    more = await hand.about("Patient", "_id", sorted(one.rpartition("/")[2] for one in named))
    return known | {f"Patient/{one['id']}": one for one in more or []}


async def exam_of(hand: Hand, request_id: str) -> Exam | None:
    """The exam of one request; None when there is none, or none that the person may see."""
    found = await exams_where(hand, [("focus", f"ServiceRequest/{request_id}")])
    return found[0] if found else None


def _exam(task: Tree, known: dict[str, Tree], about: dict[str, list[Tree]] | None) -> Exam:
    focus = names.reference_in(task.get("focus"))
    request = known.get(focus, {"id": focus.rpartition("/")[2]})
    return Exam(
        task,
        request,
        known.get(names.reference_in(task.get("for"))),
        known.get(names.reference_in(request.get("requester"))),
        None if about is None else found_in(about.get(focus, [])),
    )


async def _findings(hand: Hand, requests: list[str]) -> dict[str, list[Any]] | None:
    """The DetectedIssues of these requests, by request; None when the person may not see any."""
    if not requests:
        return {}
    told = await hand.about("DetectedIssue", "implicated", requests)
    if told is None:
        return None
    found: dict[str, list[Any]] = {}
    for issue in told:
        for one in issue.get("implicated", []):
            found.setdefault(str(one.get("reference", "")), []).append(issue)
    return found

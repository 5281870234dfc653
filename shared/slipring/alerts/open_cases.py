"""Cases as the boards show them: who is rung now, what comes next and when, how long it has been. Nothing is decided."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipring.department import names
from slipring.department.exams import Exam, exams_of, patients_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import not_found
from slipring.fhir.service import CANONICAL

RINGING = ("detected", "notifying", "delivered", "escalated", "unreachable")
OPEN = (*RINGING, "acknowledged", "read-back-confirmed", "reopened", "acted")
_EVENT = f"{CANONICAL}/StructureDefinition/case-event"
_LADDER = f"{CANONICAL}/StructureDefinition/ladder-snapshot"
_KIND = f"{CANONICAL}/CodeSystem/case-kind"
_MOST = "200"


@dataclass(frozen=True, slots=True)
class Case:
    """One case with what is known around it."""

    task: Tree
    patient: Tree | None
    exam: Exam | None
    people: Mapping[str, Tree]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.task["id"])

    @property
    def state(self) -> str:
        """Where it stands."""
        return names.code_in(self.task.get("businessStatus"), "case-state")

    @property
    def rings(self) -> bool:
        """Whether nobody has confirmed it yet, or whoever did has fallen silent."""
        return self.state in RINGING or self.state == "reopened"

    @property
    def open(self) -> bool:
        """Whether it is not over."""
        return self.state in OPEN

    @property
    def level(self) -> str:
        """1, 2 or 3."""
        return str(self._ladder.get("level", "1"))

    @property
    def drill(self) -> bool:
        """Whether nobody is ill."""
        tags = self.task.get("meta", {}).get("tag", [])
        return any((tag.get("system"), tag.get("code")) == (_KIND, "drill") for tag in tags)

    @property
    def finding(self) -> Pair:
        """What was found."""
        coding: Tree = next((c for c in self.task.get("reasonCode", {}).get("coding", []) if c.get("display")), {})
        text = str(self.task.get("reasonCode", {}).get("text", ""))
        zh = str(coding.get("display", "")) or text
        return zh, text.removeprefix(zh).strip() or zh

    @property
    def name(self) -> str:
        """The patient's name."""
        return names.person(self.patient)

    @property
    def initials(self) -> str:
        """What a wall may show of the name."""
        return names.initials(self.name)

    @property
    def number(self) -> str:
        """The imaging number."""
        return self.exam.number if self.exam else ""

    @property
    def tail(self) -> str:
        """What a wall may show of it."""
        return names.tail(self.number)

    @property
    def since(self) -> datetime:
        """Since when it is open."""
        return names.moment(self.task.get("authoredOn")) or datetime.fromisoformat(self.task["meta"]["lastUpdated"])

    @property
    def owner(self) -> str:
        """Whose it is."""
        return names.reference_in(self.task.get("owner"))

    @property
    def owned_by(self) -> str:
        """His name."""
        return names.person(self.people.get(self.owner))

    @property
    def rung_now(self) -> Sequence[str]:
        """The targets of the step that rings."""
        number = int(self._step.get("step", 0))
        steps = self._ladder.get("step", [])
        return steps[number - 1]["who"] if self.state in RINGING and 0 < number <= len(steps) else []

    @property
    def next_rung(self) -> Sequence[str]:
        """The targets of the step after it."""
        steps, number = self._ladder.get("step", []), int(self._step.get("step", 0))
        return steps[number % len(steps)]["who"] if steps and self.state in RINGING else []

    @property
    def next_at(self) -> datetime | None:
        """When the next step rings."""
        at, number, steps = self._step.get("at"), int(self._step.get("step", 0)), self._ladder.get("step", [])
        if not isinstance(at, datetime) or not 0 < number <= len(steps) or self.state not in RINGING:
            return None
        return at + timedelta(minutes=float(steps[number - 1]["answer-within-minutes"]))

    def age(self, now: datetime) -> timedelta:
        """How long it has been open."""
        return max(now - self.since, timedelta(0))

    def minutes(self, now: datetime) -> int:
        """The same in whole minutes."""
        return int(self.age(now) / timedelta(minutes=1))

    @property
    def urgency(self) -> tuple[bool, str, datetime]:
        """What comes first: what rings, the more urgent, the older."""
        return (not self.rings, self.level, self.since)

    @property
    def _ladder(self) -> dict[str, Any]:
        text = next((e["valueString"] for e in self.task.get("extension", []) if e["url"] == _LADDER), "{}")
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def _step(self) -> dict[str, Any]:
        """The last step that was taken."""
        for event in reversed([e for e in self.task.get("extension", []) if e["url"] == _EVENT]):
            parts = {part["url"]: part for part in event["extension"]}
            if parts["what"]["valueCode"] == "step":
                at = names.moment(parts["at"]["valueInstant"])
                return {"step": parts.get("step", {}).get("valuePositiveInt", 0), "at": at}
        return {}


async def open_cases(hand: Hand, ward: str = "") -> list[Case] | None:
    """Every open case, or those of patients who lie on a ward (a Location's id); None when the roles do not open them."""
    asked = [("code", "critical-case"), ("business-status", ",".join(OPEN)), ("_count", _MOST)]
    tasks = await hand.if_allowed("Task", asked)
    if tasks is None:
        return None
    cases = await _around(hand, tasks)
    here = await _on(hand, ward, cases) if ward else {case.id for case in cases}
    return sorted((case for case in cases if case.id in here), key=lambda case: case.urgency)


@dataclass(frozen=True, slots=True)
class Together:
    """What stands on one card of a board: the most urgent case, and how many findings of its exam there are."""

    case: Case
    count: int = 1


def by_exam(cases: Sequence[Case]) -> list[Together]:
    """The cases with those of one exam as one: they ring as one call, and on a wall they look alike."""
    counts: dict[tuple[str, str, bool], int] = {}
    first: dict[tuple[str, str, bool], Case] = {}
    for case in cases:
        exam = case.exam.id if case.exam else case.id
        key = (exam, names.reference_in(case.task.get("for")), case.drill)
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, case)
    return [Together(case, counts[key]) for key, case in first.items()]


async def _on(hand: Hand, ward: str, cases: Sequence[Case]) -> set[str]:
    """The cases whose patient lies on a ward now; one of which nobody knows where the patient lies is on every wall."""
    stays = {case.id: names.reference_in(case.exam.request.get("encounter")) if case.exam else "" for case in cases}
    ids = sorted({stay.rpartition("/")[2] for stay in stays.values()} - {""})
    found = await hand.about("Encounter", "_id", ids) or []
    here = {
        f"Encounter/{one['id']}": any(
            names.reference_in(place.get("location")) == f"Location/{ward}" and place.get("status") != "completed"
            for place in one.get("location", [])
        )
        for one in found
    }
    return {case for case, stay in stays.items() if here.get(stay, True)}


async def one_case(hand: Hand, case_id: str) -> Case:
    """One case by its id; 404 for another Task."""
    task = await hand.read(f"Task/{case_id}")
    if "critical-case" not in names.codes(task.get("code")):
        raise not_found("Task")
    [found] = await _around(hand, [task])
    return found


async def _around(hand: Hand, tasks: Sequence[Tree]) -> list[Case]:
    requests = [names.reference_in(task.get("reasonReference")) for task in tasks if task.get("reasonReference")]
    exams, people = await asyncio.gather(
        exams_of(hand, "focus", requests),
        people_named(hand, [names.reference_in(task.get("owner")) for task in tasks]),
    )
    by_request = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    patients = await patients_of(hand, tasks, exams)
    return [
        Case(
            task,
            patients.get(names.reference_in(task.get("for"))),
            by_request.get(names.reference_in(task.get("reasonReference"))),
            people,
        )
        for task in tasks
    ]

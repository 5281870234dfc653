"""Who is under observation after an injection, as the board shows it: gathered in few searches, nothing decided."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.bedside.which import in_words
from slipring.department import names
from slipring.department.exams import Exam, exams_of, patients_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import not_found

_SOON = timedelta(minutes=5)
_MOST = "200"
# LOINC code -> key of its words and its unit, in the order in which they are read aloud.
SIGNS: Mapping[str, tuple[str, str]] = {
    "8480-6": ("systolic", "mmHg"), "8462-4": ("diastolic", "mmHg"), "8867-4": ("pulse", "/min"), "59408-5": ("oxygen", "%"),
    "2708-6": ("oxygen", "%"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """One patient under observation."""

    task: Tree
    patient: Tree | None
    exam: Exam | None
    signs: Sequence[Tree]

    @property
    def id(self) -> str:
        """The observation's id."""
        return str(self.task["id"])

    @property
    def name(self) -> str:
        """The patient's name."""
        return names.person(self.patient)

    @property
    def patient_number(self) -> str:
        """The patient's number."""
        return names.patient_number(self.patient)

    @property
    def initials(self) -> str:
        """What a wall may show of the name."""
        return names.initials(self.name)

    @property
    def number(self) -> str:
        """The imaging number, where the exam is known."""
        return self.exam.number if self.exam else ""

    @property
    def tail(self) -> str:
        """What a wall may show of the imaging number."""
        return names.tail(self.number)

    @property
    def injection(self) -> str:
        """The injection that is watched after."""
        return names.reference_in(self.task.get("focus"))

    @property
    def which(self) -> Pair | None:
        """Which of the exam's injections that is, in words; None where nobody wrote it down."""
        return in_words(one.get("valueString") for one in self.task.get("input", []) if _kind(one) == "injection")

    @property
    def begun_at(self) -> datetime | None:
        """Since when."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("start"))

    @property
    def ends_at(self) -> datetime | None:
        """Until when."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("end"))

    @property
    def state(self) -> str:
        """Where it stands, of CodeSystem observation-state."""
        return names.code_in(self.task.get("businessStatus"), "observation-state")

    @property
    def ended(self) -> bool:
        """Whether the patient has left observation."""
        return str(self.task.get("status")) not in ("in-progress", "ready")

    @property
    def risks(self) -> list[Pair]:
        """Why it lasts longer than usual."""
        texts = (
            str(one.get("valueString", "")) for one in self.task.get("input", []) if _kind(one) == "observation-reason"
        )
        return [(zh, en or zh) for zh, _, en in (text.partition(" / ") for text in texts)]

    @property
    def last_signs(self) -> tuple[datetime | None, list[tuple[str, str, str]]]:
        """When the newest vital signs were taken, and what they say: key of the words, value, unit."""
        newest = max(self.signs, key=_taken, default=None)
        if newest is None:
            return None, []
        values = [value for part in [newest, *newest.get("component", [])] if (value := _value(part))]
        return names.moment(newest.get("effectiveDateTime")), sorted(values, key=_order)

    def left(self, now: datetime) -> timedelta:
        """How long is left; negative once it is over."""
        return self.ends_at - now if self.ends_at else timedelta(0)

    def mark(self, now: datetime) -> str:
        """How its mark looks: bad when over or in a reaction, warn when soon, else good."""
        if self.state in ("reaction", "overdue") or self.left(now) <= timedelta(0):
            return "bad"
        return "warn" if self.left(now) <= _SOON else "good"

    def urgency(self, now: datetime) -> tuple[bool, bool, timedelta]:
        """What comes first: a reaction, then who waits longest to be released, then who is next; late records last."""
        return (self.state == "recorded-late", self.state != "reaction", self.left(now))


async def everybody_watched(hand: Hand, now: datetime) -> list[Watched] | None:
    """Everybody under observation, the most urgent first; None when the person's roles do not open it."""
    tasks = await hand.if_allowed("Task", [("code", "observation"), ("status", "in-progress,ready"), ("_count", _MOST)])
    if tasks is None:
        return None
    return sorted(await _with_patients(hand, tasks), key=lambda one: one.urgency(now))


async def one_watched(hand: Hand, task_id: str) -> Watched:
    """One observation by its id; 404 for another Task."""
    task = await hand.read(f"Task/{task_id}")
    if "observation" not in names.codes(task.get("code")):
        raise not_found("Task")
    [found] = await _with_patients(hand, [task])
    return found


async def calls_due(hand: Hand) -> list[Watched]:
    """The calls for a late reaction that are due, the longest waiting first."""
    asked = [("code", "reaction-follow-up"), ("status", "ready"), ("_count", _MOST)]
    tasks = await hand.if_allowed("Task", asked)
    found = await _with_patients(hand, tasks or [])
    return sorted(found, key=lambda one: str(one.task.get("restriction", {}).get("period", {}).get("start", "")))


async def _with_patients(hand: Hand, tasks: Sequence[Tree]) -> list[Watched]:
    exams, signs = await asyncio.gather(
        exams_of(hand, "focus", _named(tasks, "basedOn")),
        hand.about("Observation", "part-of", _named(tasks, "focus")),
    )
    by_request = {f"ServiceRequest/{one.id}": one for one in exams}
    known = await patients_of(hand, tasks, exams)
    return [
        Watched(
            task,
            known.get(names.reference_in(task.get("for"))),
            by_request.get(names.reference_in(task.get("basedOn"))),
            [one for one in signs or [] if names.reference_in(task.get("focus")) in _parts(one) and _stands(one)],
        )
        for task in tasks
    ]


def _named(tasks: Sequence[Tree], member: str) -> list[str]:
    return sorted({names.reference_in(one.get(member)) for one in tasks} - {""})


def _parts(observation: Tree) -> list[str]:
    return [names.reference_in(one) for one in observation.get("partOf", [])]


def _stands(observation: Tree) -> bool:
    return observation.get("status") not in ("entered-in-error", "cancelled")


def _taken(observation: Tree) -> str:
    at = names.moment(observation.get("effectiveDateTime"))
    return at.isoformat() if at else ""


def _value(part: Tree) -> tuple[str, str, str] | None:
    code = next((one for one in names.codes(part.get("code")) if one in SIGNS), "")
    quantity = part.get("valueQuantity", {})
    return (SIGNS[code][0], str(quantity["value"]), SIGNS[code][1]) if code and "value" in quantity else None


def _order(sign: tuple[str, str, str]) -> int:
    return [name for name, _ in SIGNS.values()].index(sign[0])


def _kind(entry: Tree) -> str:
    return next(iter(names.codes(entry.get("type"))), "")

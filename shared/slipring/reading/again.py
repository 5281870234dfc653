"""What somebody has to read again, blind: his cases of the sample that are still open (5.6.2.3). No report is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.road import Hand, Tree

AGAIN = "/reading/again"


@dataclass(frozen=True, slots=True)
class Again:
    """One case; it names the exam, and neither its report nor who signed it."""

    task: Tree
    exam: Exam | None = None

    @property
    def id(self) -> str:
        """The Task's id."""
        return str(self.task["id"])

    @property
    def address(self) -> str:
        """Where it is read again."""
        return f"{AGAIN}/{self.id}"

    @property
    def request(self) -> str:
        """The exam's request."""
        return names.reference_in(self.task.get("focus"))

    @property
    def due(self) -> datetime | None:
        """By when."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("end"))

    @property
    def begun(self) -> bool:
        """Whether he has said what he sees, and the grade is still to come."""
        return str(self.task.get("status")) == "in-progress"

    @property
    def answer(self) -> str:
        """What he said, as a reference; '' before."""
        return next((names.reference_in(one.get("valueReference")) for one in self.task.get("output", [])), "")

    def late(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.due is not None and self.due < now


async def to_read_again(hand: Hand, reader: str) -> list[Again]:
    """The open cases of one reader, what is due first first; none where his roles do not open them."""
    if not reader:
        return []
    asked = [("code", "re-reading"), ("owner", reader), ("status", "requested,in-progress")]
    found = [Again(one) for one in await hand.if_allowed("Task", asked) or []]
    return sorted(found, key=lambda one: str(one.due))


async def with_exams(hand: Hand, cases: Sequence[Again]) -> list[Again]:
    """The same with their exams."""
    exams = await exams_of(hand, "focus", [one.request for one in cases])
    known = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    return [Again(one.task, known.get(one.request)) for one in cases]

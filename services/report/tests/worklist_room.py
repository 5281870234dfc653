"""A reading list in memory: exams as order tells of them, readers, and the operations on their readings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Arrival, Call, Changes, Due, OperationHandler, Resource, Stored, Wake
from slipring_report.handlers import claims, reading_tasks
from slipring_report.settings import ReportSettings
from slipring_report.worklist.reading_task import reading_id

from tests.support.desk import ADesk

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REQUEST, REVIEWER, the_department

__all__ = ["AUTHOR", "PATIENT", "REQUEST", "REVIEWER", "WorklistRoom", "an_exam", "named", "parts", "what"]

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # nine in Shanghai, a Monday
EXAM = "Task/o-exam"
READING = f"Task/{reading_id(EXAM)}"


def an_exam(state: str = "acquired", priority: str = "routine", ended: datetime = NINE, **members: Any) -> Resource:
    """The exam's own Task as order keeps it."""
    return {
        "resourceType": "Task",
        "id": "o-exam",
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "exam"}]},
        "businessStatus": {"coding": [{"system": f"{CANONICAL}/CodeSystem/exam-state", "code": state}]},
        "priority": priority,
        "focus": {"reference": REQUEST},
        "for": {"reference": PATIENT},
        "authoredOn": "2026-03-02T08:00:00+08:00",
        "lastModified": ended.isoformat(),
        "executionPeriod": {"start": (ended - timedelta(minutes=10)).isoformat(), "end": ended.isoformat()},
        **members,
    }


@dataclass
class WorklistRoom:
    """The desk, and timers that fire when the clock is moved past them."""

    settings: ReportSettings = field(default_factory=ReportSettings)

    def __post_init__(self) -> None:
        self.desk = ADesk(now=NINE, copies=the_department(), settings=self.settings, letter="r")
        self.timers: dict[str, tuple[datetime, Wake]] = {}

    async def told(self, exam: Resource) -> Changes:
        """Order tells of an exam."""
        reference = f"Task/{exam['id']}"
        before = self.desk.held.get(reference)
        stored = self.desk.hold(exam, source="order")
        return self.carried(
            await reading_tasks.exam_arrived(Arrival("order", exam, stored.version, before=before), self.desk)
        )

    def carried(self, changes: Changes) -> Changes:
        self.desk.carry_out(changes)
        for key in changes.cancel:
            self.timers.pop(key, None)
        for wake in changes.wake:
            self.timers[wake.key] = (self.desk.now + wake.after, wake)
        return changes

    async def wait(self, minutes: float) -> None:
        """Time passes; whatever is due on the way is done when it is due."""
        end = self.desk.now + timedelta(minutes=minutes)
        while due := sorted((at, key) for key, (at, _) in self.timers.items() if at <= end):
            at, key = due[0]
            _, wake = self.timers.pop(key)
            self.desk.now = max(self.desk.now, at)
            handler = {"reporting-time": reading_tasks.reporting_time, claims.LEASE: claims.claim_over}[wake.name]
            self.carried(await handler(Due(wake.name, wake.subject, key, at, wake.payload), self.desk))
        self.desk.now = end

    async def call(self, operation: OperationHandler, target: str = READING, **values: Any) -> Changes:
        listed = [{"name": name, **value} for name, value in values.items()]
        stored = self.desk.held[target] if target else None
        return self.carried(
            await operation(Call({"resourceType": "Parameters", "parameter": listed}, stored), self.desk)
        )

    def claim(self, who: str, **values: Any) -> Any:
        return self.call(claims.reading_claimed, by={"valueReference": {"reference": who}}, **values)

    @property
    def reading(self) -> Resource:
        return self.desk.held[READING].resource

    @property
    def state(self) -> list[str]:
        """Where the reading stands, and its clock."""
        return [coding["code"] for coding in self.reading["businessStatus"]["coding"]]

    def records(self, rule: str) -> list[Resource]:
        kept = [one.resource for one in self.desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
        return [one for one in kept if one["code"]["coding"][0]["code"] == f"report.{rule}"]

    def issued(self, at: datetime, status: str = "final", name: str = "r-1") -> Stored:
        """A report that has gone out."""
        report = {"resourceType": "DiagnosticReport", "id": name, "status": status, "basedOn": [{"reference": REQUEST}]}
        return self.desk.hold(report | {"issued": at.isoformat()})


def named(entry: Resource) -> str:
    return str(entry["type"]["coding"][0]["code"])


def parts(answer: Resource | None) -> dict[str, Any]:
    assert answer is not None
    return {one["name"]: one for one in answer["parameter"]}


def what(task: Resource, member: str = "output") -> dict[str, Any]:
    """The coded outputs (or inputs) of a Task by their code."""
    entries: Sequence[Resource] = task.get(member, [])
    return {named(entry): next(value for name, value in entry.items() if name.startswith("value")) for entry in entries}

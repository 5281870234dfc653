"""The reading list as `Task/$reading-list` tells it: each case with its exam, its clock, who has it, and its report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree, in_portions
from slipring.department.staff import people_named

_MOST = 200
_TO_READ = "registered,partial,preliminary"
_SHAPES = {"breached": "bad", "warned": "warn", "running": "good"}


@dataclass(frozen=True, slots=True)
class Case:
    """One exam to be read; `exam` is None where the person's roles do not open it."""

    told: Mapping[str, Any]  # the parts of its entry
    exam: Exam | None = None
    report: Tree | None = None
    holder: Tree | None = None

    @property
    def id(self) -> str:
        """The reading's Task."""
        return str(self.told["task"]["id"])

    @property
    def state(self) -> str:
        """unread, claimed, awaiting-images."""
        return str(self.told["state"])

    @property
    def shape(self) -> str:
        """How the mark of its clock looks."""
        return "" if self.state == "awaiting-images" else _SHAPES.get(str(self.told["clockState"]), "")

    @property
    def left(self) -> timedelta:
        """How long until it is due; negative once it is overdue."""
        return timedelta(minutes=int(self.told["minutesLeft"]))

    @property
    def due(self) -> datetime | None:
        """When it is due."""
        return names.moment(self.told["dueAt"])

    @property
    def clock(self) -> Pair:
        """The figure of the clock in words."""
        return str(self.told["clockZh"]), str(self.told["clockEn"])

    @property
    def held_by(self) -> str:
        """Who has it in hand, or ''."""
        return names.reference_in(self.told.get("holder"))

    @property
    def until(self) -> datetime | None:
        """Until when it is held."""
        return names.moment(self.told.get("leaseUntil", ""))

    @property
    def status(self) -> str:
        """Where the report stands, '' before it is begun."""
        return str((self.report or {}).get("status", ""))

    @property
    def address(self) -> str:
        """Where it is read."""
        request = names.reference_in(self.told.get("request")).rpartition("/")[2]
        return f"/reading/reports/{self.report['id']}" if self.report else f"/reading/exams/{request}"

    def called(self, text: str) -> bool:
        """Whether somebody means it by a number or by how a name begins."""
        wanted, exam = text.strip().casefold(), self.exam
        return exam is not None and (
            wanted in (exam.number.casefold(), exam.patient_number.casefold())
            or (len(wanted) > 3 and exam.number.casefold().endswith(wanted))
            or exam.name.casefold().startswith(wanted)
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, the most urgent first, and how much there is in all."""

    cases: Sequence[Case] = field(default_factory=list)
    total: int = 0


async def waiting(hand: Hand, clocks: Sequence[str] = ()) -> Waiting:
    """The list as it stands now; `clocks`: only what stands so (of CodeSystem reporting-clock)."""
    asked: list[Tree] = [{"name": "count", "valueInteger": _MOST}]
    asked += [{"name": "clockState", "valueCode": one} for one in clocks]
    answer = await hand.called("Task/$reading-list", asked)
    every = [_parts(one["part"]) for one in answer["parameter"] if one["name"] == "reading"]
    total = next((int(one["valueInteger"]) for one in answer["parameter"] if one["name"] == "total"), len(every))
    requests = [names.reference_in(one.get("request")) for one in every if one.get("request")]
    exams, reports, people = await asyncio.gather(
        exams_of(hand, "focus", requests),
        _reports(hand, sorted(set(requests))),
        people_named(hand, [names.reference_in(one.get("holder")) for one in every]),
    )
    by_request = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    cases = []
    for one in every:
        request, holder = names.reference_in(one.get("request")), names.reference_in(one.get("holder"))
        cases.append(Case(one, by_request.get(request), reports.get(request), people.get(holder)))
    return Waiting(cases, total)


async def _reports(hand: Hand, requests: Sequence[str]) -> dict[str, Tree]:
    ways = [[("based-on", ",".join(portion)), ("status", _TO_READ)] for portion in in_portions(requests)]
    found = await asyncio.gather(*(hand.found("DiagnosticReport", way) for way in ways))
    return {names.reference_in(report.get("basedOn")): report for reports in found for report in reports}


def _parts(parts: Sequence[Tree]) -> dict[str, Any]:
    return {
        str(part["name"]): part.get("resource") or next((part[name] for name in part if name.startswith("value")), None)
        for part in parts
    }

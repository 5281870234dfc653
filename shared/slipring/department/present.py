"""Who came today, and who waits here in which order: what `Task/$arrivals` and `Task/$queue` list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named


@dataclass(frozen=True, slots=True)
class Came:
    """One line of the day's register; `kinds`: the kinds of identifier that agreed."""

    at: datetime
    exam: Exam
    by: str
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Waits:
    """A place in the queue; `bumped_by`: how many who came later go first."""

    number: int
    exam: Exam
    arrived_at: datetime
    bumped_by: int
    scanner: str


async def register(hand: Hand) -> list[Came] | None:
    """Today's arrivals, the latest first; None when the person's roles do not open them."""
    lines = await _entries(hand, "$arrivals")
    if lines is None:
        return None
    exams, people = await asyncio.gather(_exams(hand, lines), _people(hand, lines))
    came = [
        Came(at, exam, names.person(people.get(_reference(line, "receivedBy"))), _words(line, "kind"))
        for line in lines
        if (exam := exams.get(_reference(line, "exam"))) and (at := names.moment(_one(line, "arrived")))
    ]
    return sorted(came, key=lambda one: one.at, reverse=True)


async def queue(hand: Hand) -> list[Waits] | None:
    """Who is here, in the order in which they are scanned; None when the person's roles do not open it."""
    lines = await _entries(hand, "$queue")
    if lines is None:
        return None
    exams = await _exams(hand, lines)
    return [
        Waits(int(_one(line, "number")), exam, at, int(_one(line, "bumpedBy")), _reference(line, "scanner"))
        for line in lines
        if (exam := exams.get(_reference(line, "exam"))) and (at := names.moment(_one(line, "arrived")))
    ]


async def _entries(hand: Hand, operation: str) -> list[list[Tree]] | None:
    said = await hand.called_if_allowed(f"Task/{operation}")
    return None if said is None else [one["part"] for one in said if one["name"] == "entry"]


async def _exams(hand: Hand, lines: list[list[Tree]]) -> dict[str, Exam]:
    """The exams of these lines by their Tasks."""
    exams = await exams_of(hand, "_id", (_reference(line, "exam").rpartition("/")[2] for line in lines))
    return {exam.reference: exam for exam in exams}


async def _people(hand: Hand, lines: list[list[Tree]]) -> dict[str, Tree]:
    return await people_named(hand, [_reference(line, "receivedBy") for line in lines])


def _one(parts: list[Tree], name: str) -> Any:
    return next((value for part in parts if part["name"] == name for key, value in part.items() if key != "name"), 0)


def _reference(parts: list[Tree], name: str) -> str:
    """A reference without the version that it may name."""
    found = _one(parts, name)
    return names.reference_in(found if isinstance(found, dict) else None).partition("/_history/")[0]


def _words(parts: list[Tree], name: str) -> list[str]:
    return [str(part["valueString"]) for part in parts if part["name"] == name]

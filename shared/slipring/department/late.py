"""What waits past its time, as order lists it: the green channel's stages, what is to be answered or made up for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.department.exams import Exam
from slipring.department.names import Pair, moment
from slipring.department.road import Hand, Tree


@dataclass(frozen=True, slots=True)
class Late:
    """One thing that is late."""

    words: Pair
    by: timedelta
    due_at: datetime | None


async def late_by_exam(hand: Hand) -> dict[str, list[Late]]:
    """What `Task/$overdue` lists, by exam (`Task/id`)."""
    answer = await hand.called("Task/$overdue", [])
    found: dict[str, list[Late]] = {}
    for one in answer.get("parameter", []):
        if one["name"] == "item":
            exam, late = _read(one["part"])
            found.setdefault(exam, []).append(late)
    return found


def late_first(exams: Sequence[Exam], late: Mapping[str, list[Late]]) -> list[Exam]:
    """Who waits past his time stands before the others; among equals the order stays."""
    return sorted(exams, key=lambda exam: exam.reference not in late)


def _read(parts: list[Tree]) -> tuple[str, Late]:
    told = {part["name"]: next(value for name, value in part.items() if name != "name") for part in parts}
    words = (str(told["zh"]), str(told["en"]))
    return str(told["exam"]["reference"]), Late(words, timedelta(minutes=told["minutes"]), moment(told["dueAt"]))

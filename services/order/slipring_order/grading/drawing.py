"""The blind draw of exams for grading: a record of the draw, and a case for each grader that names nobody who made it. Pure."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring.qc.report.sampling import Draw

from slipring_order.reading import has_code, instant
from slipring_order.resources import TASK_CODE_SYSTEM

DRAW, CASE = "image-grading-draw", "image-grading"
PARAMETER = f"{CANONICAL}/CodeSystem/image-grading-parameter"
_CLAUSE = "CL02-A011:5.6.2.3"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One exam that may be drawn, with what its stratum is made of."""

    request: str  # ServiceRequest/...
    patient: str
    scanner: str
    region: str
    maker: str  # who scanned it

    @property
    def stratum(self) -> str:
        """Scanner, part of the body, technologist."""
        return f"{self.scanner}|{self.region}|{self.maker}"


def settings() -> Mapping[str, Any]:
    """How much is drawn at most, for how long, and how much of it is graded twice."""
    return _file()


def is_of_a_draw(task: Resource) -> bool:
    """Whether a Task is a draw, or a case of one."""
    return any(has_code(task.get("code"), TASK_CODE_SYSTEM, one) for one in (DRAW, CASE))


def twice(chosen: Mapping[str, Sequence[str]], share: int) -> frozenset[str]:
    """Which of the drawn two people grade: the share in %, rounded up, the strata in turn and in each the first drawn.

    >>> sorted(twice({"a": ["1", "2"], "b": ["3"]}, 60))
    ['1', '3']
    """
    wanted = math.ceil(sum(map(len, chosen.values())) * share / 100)
    deepest = max(map(len, chosen.values()), default=0)
    in_turn = [each[place] for place in range(deepest) for each in chosen.values() if place < len(each)]
    return frozenset(in_turn[:wanted])


def graders_of(graders: Sequence[str], maker: str, turn: int, how_many: int) -> list[str]:
    """The next graders in turn who did not make the images; fewer where there are none.

    >>> graders_of(["a", "b", "c"], "b", 1, 2)
    ['c', 'a']
    """
    free = [one for one in graders if one != maker]
    return [free[(turn + place) % len(free)] for place in range(min(how_many, len(free)))] if free else []


def as_draw(draw: Draw, period: Resource, share: int, by: str, *, id: str, now: datetime) -> Resource:
    """The record of a draw: all that is needed to draw it again, and nothing of who made what."""
    said: list[tuple[str, str, Any]] = [
        ("method", "String", draw.method),
        ("seed", "String", draw.seed),
        ("drawn-on", "Date", draw.on.isoformat()),
        ("period", "Period", period),
        ("population", "UnsignedInt", draw.population),
        ("strata", "UnsignedInt", len(draw.chosen)),
        ("double", "UnsignedInt", share),
        ("list-sha256", "String", draw.list_sha256),
        ("clause", "String", _CLAUSE),
    ]
    return {
        **_task(DRAW, "影像评分抽样", id, now),
        "status": "completed",
        "requester": {"reference": by},
        "input": [{"type": _named(name), f"value{kind}": value} for name, kind, value in said],
    }


def as_case(one: Drawn, grader: str, due: timedelta, *, draw: str, id: str, now: datetime) -> Resource:
    """One case for one grader: the exam and by when; not the scanner, nor who made it."""
    patient = {"for": {"reference": one.patient}} if one.patient else {}
    return {
        **_task(CASE, "影像盲法评分", id, now),
        "status": "requested",
        "partOf": [{"reference": f"Task/{draw}"}],
        "focus": {"reference": one.request},
        **patient,
        "owner": {"reference": grader},
        "restriction": {"period": {"start": instant(now), "end": instant(now + due)}},
    }


def answered(sheet: str, now: datetime) -> dict[str, Any]:
    """The members of a case whose sheet came in."""
    output = [{"type": _named("sheet"), "valueReference": {"reference": sheet}}]
    return {"status": "completed", "lastModified": instant(now), "output": output}


def pairs(grades: Mapping[str, Collection[str]]) -> list[tuple[str, str]]:
    """The grades of exams that two people graded, by exam; where there are more sheets the first two count."""
    every = ([*each] for each in grades.values())
    return [(each[0], each[1]) for each in every if len(each) > 1]


def _task(code: str, zh: str, id: str, now: datetime) -> Resource:
    return {
        "resourceType": "Task",
        "id": id,
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": code}], "text": zh},
        "authoredOn": instant(now),
        "lastModified": instant(now),
    }


def _named(name: str) -> Resource:
    return {"coding": [{"system": PARAMETER, "code": name}], "text": name}


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("draw.toml").read_text(encoding="utf-8"))

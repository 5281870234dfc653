"""A critical finding is read back, or dealt with, at the moment in which its deadline passes.

Many cases at once: the clock is moved over the deadline of all of them while somebody answers one after the other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
from slipring.fhir.service import CANONICAL
from slipring_demo.teller import parameters, value_of

from tests.races.race import ROUNDS, Tally
from tests.races.room import pool
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones

Tree = dict[str, Any]
_BATCHES, _EXAMS = 5, 20  # one finding each: several of one exam ring as one call
_FINDING = "CV-CT-06"
_SECONDS = 0.8  # about how long the deadlines of one batch take on a busy machine


async def test_nobody_is_rung_anew_after_the_finding_was_read_back_or_dealt_with(department: Department) -> None:
    story = await one_exam(department)
    answered, dealt_with = Tally("acknowledged against escalation"), Tally("acted against reopening")
    with phones("requester") as phone:
        await story.rung_at({"valueReference": story.cast.person("requester")}, phone["requester"])
        for _ in range(_BATCHES):
            cases = await _opened(story)
            await _raced(story, cases, "step", timedelta(minutes=3), lambda case: _read_back(story, case), answered)
            await _raced(
                story, cases, "acted-overdue", timedelta(hours=1), lambda case: _dealt_with(story, case), dealt_with
            )
    for tally in (answered, dealt_with):
        print(tally)  # noqa: T201 - the figures of the race
        assert tally.passed_first + tally.refused == ROUNDS
        assert not tally.wrong, tally.wrong
        assert tally.passed_first and tally.refused, f"never met: {tally}"


async def _opened(story: OneExam) -> list[tuple[Tree, str]]:
    """Cases that ring: each with the imaging number of its exam."""
    cases = []
    for _ in range(_EXAMS):
        await story.requested()
        report = await story.drafted()
        said = parameters(
            finding=("Coding", {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": _FINDING}),
            level=("Code", "1"),
            recognisedAt=("DateTime", story.cast.moment()),
            performer=("Reference", story.cast.person("first reader")),
        )
        answer = await story.department.post(f"{report}/$flag-critical", said)
        assert answer.is_success, answer.text
        cases.append((value_of(answer.json(), "handover")["reference"], story.cast.imaging_number))
    await story.department.settle()
    found = []
    for handover, number in cases:
        [case] = await story.department.found(f"Task?based-on={handover}&code=critical-case")
        found.append((case, number))
    return found


async def _read_back(story: OneExam, case: tuple[Tree, str]) -> httpx.Response:
    task, number = case
    said = parameters(
        patientCheck=("String", number[-4:]),
        finding=("Code", _FINDING),
        medium=("Code", "webhook"),
        receiver=("Reference", story.cast.person("requester")),
    )
    return await story.department.post(f"Task/{task['id']}/$acknowledge", said)


async def _dealt_with(story: OneExam, case: tuple[Tree, str]) -> httpx.Response:
    said = parameters(action=("CodeableConcept", {"text": "anticoagulation begun"}))
    return await story.department.post(f"Task/{case[0]['id']}/$act", said)


async def _raced(
    story: OneExam,
    cases: list[tuple[Tree, str]],
    what: str,
    deadline: timedelta,
    answer: Callable[[tuple[Tree, str]], Awaitable[httpx.Response]],
    tally: Tally,
) -> None:
    """Move the clock over the deadline while the cases are answered, in any order; then judge each by its commits."""
    department = story.department
    before = [_count(await department.get(f"Task/{case['id']}"), what) for case, _ in cases]

    async def late(case: tuple[Tree, str], seconds: float) -> Tree:
        await asyncio.sleep(seconds)
        for _ in range(20):
            told = await answer(case)
            if told.status_code != 503:
                break
        assert told.status_code == 200, told.text
        tree: Tree = told.json()
        return tree

    delays = [_SECONDS * number / len(cases) for number in range(len(cases))]
    random.Random(what).shuffle(delays)
    department.clock.advance(deadline)
    department.house.services["critical"].kernel.store.armed.set()
    answers = await asyncio.gather(*(late(case, delay) for case, delay in zip(cases, delays, strict=True)))
    await department.settle()
    for known, told in zip(before, answers, strict=True):
        standing = await department.get(f"Task/{told['id']}")
        rung_after = await pool(department, "critical").fetchval(
            _RUNG_AFTER, told["id"], int(told["meta"]["versionId"])
        )
        if rung_after or _count(standing, what) != _count(told, what):
            tally.wrong.append(f"Task/{told['id']}: rung again after it was answered")
        elif _count(told, what) > known:
            tally.passed_first += 1
        else:
            tally.refused += 1


# Attempts of a case that were made by a commit after the one of this version of it.
_RUNG_AFTER = """SELECT count(*) FROM version v JOIN resource r USING (key)
  WHERE r.type = 'Communication' AND v.version = 1
  AND v.body::jsonb -> 'partOf' @> jsonb_build_array(jsonb_build_object('reference', 'Task/' || $1))
  AND pg_xact_commit_timestamp(v.xmin) > (SELECT pg_xact_commit_timestamp(a.xmin) FROM version a JOIN resource t USING (key)
    WHERE t.type = 'Task' AND t.id = $1 AND a.version = $2)"""


def _count(case: Tree, what: str) -> int:
    """How often something is on a case's record."""
    parts = [part for event in case["extension"] for part in event.get("extension", [])]
    return sum(part.get("valueCode") == what for part in parts)

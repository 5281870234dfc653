"""Many readers reach for one case at the same moment: one has it, all others are told who (CL02-A011:5.6.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]
_READERS = 5
_ROUNDS = 30


@pytest.mark.clause("5.6.1")
async def test_of_many_readers_who_claim_one_case_at_once_one_has_it(department: Department) -> None:
    story = await one_exam(department)
    readers = await _readers(story)
    held = await _rounds(story, await _reading(story), readers)
    print(f"claims: {_ROUNDS} rounds of {_READERS} readers, {len({*held})} of them have won")  # noqa: T201 - the figures
    assert len(held) == _ROUNDS and len({*held}) > 1


async def _rounds(story: OneExam, reading: str, readers: list[str]) -> list[str]:
    """Who held the case in each round."""
    held = []
    for _ in range(_ROUNDS):
        answers = await asyncio.gather(*[_claim(story, reading, who) for who in readers])
        [winner] = [who for who, answer in zip(readers, answers, strict=True) if answer.is_success]
        lost = [answer for answer in answers if not answer.is_success]
        assert {answer.status_code for answer in lost} == {409}, [answer.text for answer in lost]
        assert all(rules(answer) == {"report.case-held"} and winner in answer.text for answer in lost)
        stands = await story.department.get(f"Task/{reading}")
        assert stands["owner"] == {"reference": winner}
        held.append(winner)
        freed = await story.department.post(f"Task/{reading}/$give-back", parameters(by=("Reference", stands["owner"])))
        assert freed.is_success, freed.text
        readers.append(readers.pop(0))
    return held


async def _claim(story: OneExam, reading: str, who: str) -> httpx.Response:
    said = parameters(by=("Reference", {"reference": who}))
    while (answer := await story.department.post(f"Task/{reading}/$claim", said)).status_code == 503:
        await asyncio.sleep(0.02)  # it met others three times: what it says is try again
    return answer


async def _reading(story: OneExam) -> str:
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress", "acquired")
    await story.department.settle()
    [reading] = await story.department.found(f"Task?code=reading&focus={story.cast.exam}")
    return str(reading["id"])


async def _readers(story: OneExam) -> list[str]:
    names = [f"reader {number}" for number in range(_READERS - 2)]
    for name in names:
        await story.joined(name, "resident-physician", "radiologist", "level-a")
    return [story.cast.staff[name] for name in ("first reader", "second reader", *names)]

"""The quarter without a fault: what is done on which day. Drawn by a seed, so that every run makes the same department."""

from __future__ import annotations

import random

from tests.support.department import Department

from . import learning, past, rounds
from .living import Exam, Quarter
from .loading import loaded
from .papers import KINDS
from .standing import house

SEED = 20260701
SESSIONS = (3, 59)  # days with exams that are lived from the request to the second signature
LOADED = 72  # exams that come in as history
_A_WEEK, _A_MONTH = 7, 28
AFTER = 95  # the day on which the quarter's figures are made


async def the_quarter(department: Department) -> Quarter:
    """Ninety-two days of the department, and the first days after them."""
    quarter = Quarter(department, await loaded(department, house()))
    await department.fresh()
    conference = 6
    for number, day in enumerate(SESSIONS):
        exams = await quarter.session(day, list(KINDS))
        await _what_else(quarter, number, exams)
        until = SESSIONS[number + 1] if number + 1 < len(SESSIONS) else 92
        while conference < until:
            await quarter.until(conference, hour=8)
            await rounds.conference(quarter, exams[0])
            if (conference - 6) % _A_MONTH == 0:
                await rounds.looked_after(quarter)
            conference += _A_WEEK
    await quarter.until(AFTER)
    await _history(quarter)
    await learning.closed(quarter)
    return quarter


async def _what_else(quarter: Quarter, number: int, exams: list[Exam]) -> None:
    plain, other, with_contrast = exams[0], exams[1], exams[-1]
    if number % 2:
        await rounds.reaction(quarter, with_contrast)
        await rounds.consulted(quarter, plain)
        await rounds.graded(quarter, other)
        await rounds.settled(quarter, "nonconformity", "a label was missing 标签缺失")
        await learning.read_again(quarter)
        await learning.answered(quarter, await learning.a_round(quarter, "2026-09-01"), 95)
    else:
        await rounds.critical(quarter, with_contrast)
        await rounds.settled(quarter, "complaint", "waited for two hours 等候两小时")
        await rounds.compared(quarter, plain, plain.kind.system)
        await rounds.discordant(quarter, other)


async def _history(quarter: Quarter) -> None:
    """Exams on days drawn by the seed, each with the records of one that was lived."""
    chance = random.Random(SEED)
    kinds = {exam.kind: await past.of(exam) for exam in quarter.exams[: len(KINDS)]}
    quarter.records = {name: kinds[kind] for name, kind in KINDS.items()}
    papers = []
    for number in range(quarter.numbers, quarter.numbers + LOADED):
        papers += past.again(quarter.records[chance.choice(list(KINDS))], number, chance.randint(4, 90))
    quarter.numbers += LOADED
    await past.brought(quarter, papers)

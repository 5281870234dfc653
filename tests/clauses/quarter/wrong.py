"""What a fault leaves behind, and how faults are written: loaded, written through the API, by SQL, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING

from tests.support.one_exam import rules

from . import past
from .living import Quarter

Tree = dict[str, Any]


@dataclass(frozen=True)
class Left:
    """The record that the finding should name ('' for an absence), words of the finding, what else the fault touched."""

    place: str = ""
    says: str = ""
    touched: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()  # the codes of the refusal, where the fault is impossible
    by: str = "load"  # load, api, sql
    when: str = "quarter"  # `after`: it was lived in the weeks after the quarter; `before`: exams were made, and nothing else was done


Wrong = Callable[[Quarter], Awaitable[Left]]
WRONGS: dict[str, tuple[int, Wrong]] = {}


def fault(id: str, turn: int = 1) -> Callable[[Wrong], Wrong]:
    """How the fault of this id is put into the department; in a later turn where another one of the same record hides it."""

    def kept(wrong: Wrong) -> Wrong:
        assert id not in WRONGS, id
        WRONGS[id] = (turn, wrong)
        return wrong

    return kept


async def changed(quarter: Quarter, place: str, **members: Any) -> str:
    """Members of a record are changed by who loads history; None leaves a member out."""
    before = await quarter.department.get(place)
    after = {name: value for name, value in (before | members).items() if value is not None}
    async with quarter.department.client(DEMO_DEPARTMENT, LOADING) as loading:
        answer = await quarter.department.put(after, loading)
    assert answer.status_code == 200, answer.text
    return place


async def exam(
    quarter: Quarter, kind: str, day: int, without: tuple[str, ...] = (), **changes: past.Change
) -> dict[str, str]:
    """One more exam of the quarter as history, with something wrong in it; its records by name."""
    number = quarter.numbers
    quarter.numbers += 1
    made = await past.brought(quarter, past.again(quarter.records[kind], number, day, changes, without))
    return {name.partition(" ")[2]: place for name, place in made.items()}


def found(place: str, records: dict[str, str] | None = None, says: str = "", **members: Any) -> Left:
    """The fault is in, and this record should be named."""
    return Left(place, says, tuple((records or {}).values()), **members)


def refusal(answer: httpx.Response) -> Left:
    """The API refused it: by which codes."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    return Left(refused=frozenset(rules(answer)), by="api")

"""A decision and the change that forbids it, started against each other a hundred times, and judged by their commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ROUNDS = 100
LANES = 4
_SMALLEST, _FIRST, _LARGEST = 1 / 16, 1 / 8, 2.0  # of a decision's time: how far a start is moved to where both meet


@dataclass(frozen=True)
class Done:
    """What one side stored: the reference and version of what it wrote; None when it was refused."""

    written: tuple[str, int] | None


@dataclass
class Tally:
    """How the rounds of one race ended."""

    name: str
    passed_first: int = 0  # the decision passed and was committed before the change
    refused: int = 0
    change_refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for the log."""
        return (
            f"{self.name}: {self.passed_first} passed before the change, {self.refused} refused, "
            f"{self.change_refused} changes refused, {len(self.wrong)} wrong"
        )


async def race(
    name: str,
    pool: Any,
    decide: Callable[[int], Awaitable[Done]],
    change: Callable[[int], Awaitable[Done]],
    again: Callable[[int], Awaitable[None]],
    *,
    rounds: int = ROUNDS,
    span: float = 0.0,
    lag: float = 0.0,
) -> Tally:
    """Run the race; the change starts a little later each round, from well before the decision to after its end.

    Whoever came first starts later the next time, by steps that shrink whenever the two change places and grow while they
    do not: so most rounds are close ones, however long an act takes on a busy machine.

    A decision that passed and was committed after a change that forbids it is wrong. `again` makes the change undone.
    `span`: about how long a decision takes, in seconds; without it three are measured. `lag`: how long after its start
    the change is committed where the decision is made, in seconds; for a copy that has a way to go.
    """
    tally = Tally(name)
    if not span:
        begun = time.perf_counter()
        for number in range(3):
            assert (await decide(-1 - number)).written, "the decision does not even pass undisturbed"
        span = (time.perf_counter() - begun) / 3
    stride, came_first = span * _FIRST, 0
    for number in range(rounds):
        offset = span * (1.6 * number / rounds - 0.5) - lag
        decided, changed = await asyncio.gather(
            _after(max(0.0, -offset), decide, number), _after(max(0.0, offset), change, number)
        )
        if decided.written is None:
            tally.refused += 1
            side = -1
        elif changed.written is None:
            tally.change_refused += 1
            side = 1
        else:
            side = 1
            at = [await _committed(pool, *one) for one in (decided.written, changed.written)]
            if at[0] < at[1]:
                tally.passed_first += 1
            else:
                tally.wrong.append(f"round {number}: {decided.written} was committed {at[0] - at[1]} after the change")
        stride = min(span * _LARGEST, stride * 1.5) if side == came_first else max(span * _SMALLEST, stride / 2)
        came_first = side
        lag += side * stride
        await again(number)
    if rounds == ROUNDS:
        print(tally)  # noqa: T201 - the figures of the race
    return tally


async def in_lanes(lane: Callable[[int], Awaitable[Tally]]) -> Tally:
    """Run the rounds of one race several at a time, each lane with papers of its own; told as one race."""
    tallies = await asyncio.gather(*(lane(number) for number in range(LANES)))
    whole = Tally(tallies[0].name)
    for tally in tallies:
        whole.passed_first += tally.passed_first
        whole.refused += tally.refused
        whole.change_refused += tally.change_refused
        whole.wrong += tally.wrong
    assert whole.passed_first + whole.refused + whole.change_refused + len(whole.wrong) == ROUNDS
    print(whole)  # noqa: T201 - the figures of the race
    return whole


def sound(tally: Tally) -> None:
    """Nothing passed wrongly, and the race was one: both ends were seen."""
    assert not tally.wrong, tally.wrong
    assert tally.passed_first, f"never met: {tally}"
    assert tally.refused, f"never met: {tally}"


async def _after(seconds: float, act: Callable[[int], Awaitable[Done]], number: int) -> Done:
    await asyncio.sleep(seconds)
    return await act(number)


async def _committed(pool: Any, reference: str, version: int) -> datetime:
    kind, _, name = reference.partition("/")
    moment: datetime = await pool.fetchval(
        "SELECT pg_xact_commit_timestamp(v.xmin) FROM version v JOIN resource r USING (key) "
        "WHERE r.type = $1 AND r.id = $2 AND v.version = $3",
        kind,
        name,
        version,
    )
    return moment

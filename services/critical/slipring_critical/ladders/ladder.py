"""Who is rung next, and when: a pure function of the policy, what happened so far, and the time.

The ladder only climbs: step by step, then from the first step again, for ever, until a person answers. Replaying
it over a case's history is the proof that no step was left out (CL02-A011:5.9.1).

A step for *any* of its targets is reached as soon as one of them can be rung; a step for *all* of them only when each
can. `all` never waits for several receipts: one authorised read-back ends the ringing, whatever step rings. What it
changes is the pace: while one of its targets has no route, or none that works, the step does not count and the next
one rings at once, and those who were reached go on ringing. So `all` climbs sooner than `any`, and never later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

FALLBACK = "fallback"  # the staffed desk: the target behind SLIPRING_FALLBACK_ROUTE and the desk's own routes
ANY, ALL = "any", "all"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: these targets ring together and have this long to answer."""

    who: tuple[str, ...]
    channels: tuple[str, ...]
    answer_within: timedelta
    reach: str = ANY  # any | all: of how many of `who` the step counts as reached

    def reached_by(self, missing: Sequence[str]) -> bool:
        """Whether the step counts as reached when these of its targets are not."""
        return not missing if self.reach == ALL else len(set(missing)) < len(set(self.who))


@dataclass(frozen=True, slots=True)
class Ladder:
    """The policy of one level, as it stood when the case opened."""

    level: str
    version: str
    confidence: str
    rungs: tuple[Rung, ...]
    act_within: timedelta
    record: str = ""  # the version of the record that two people stand for, PlanDefinition/k-1/_history/2; "" = a file

    def __post_init__(self) -> None:
        """A ladder without a step, or with one that waits no time at all, would be silent or never stop to listen."""
        if not self.rungs or any(rung.answer_within <= timedelta(0) or not rung.who for rung in self.rungs):
            raise ValueError("every ladder has steps, and every step rings somebody and waits for an answer")

    def snapshot(self) -> str:
        """The policy as JSON, kept in the case: a later edition changes no running case."""
        return json.dumps(
            {
                "level": self.level,
                "version": self.version,
                "confidence": self.confidence,
                **({"record": self.record} if self.record else {}),
                "act-within-minutes": _minutes(self.act_within),
                "step": [
                    {
                        "who": list(rung.who),
                        "channels": list(rung.channels),
                        "answer-within-minutes": _minutes(rung.answer_within),
                        **({"reach": ALL} if rung.reach == ALL else {}),
                    }
                    for rung in self.rungs
                ],
            }
        )

    def ending_at_the_desk(self) -> Ladder:
        """The same ladder with the staffed desk as its last step, where it does not end there already."""
        last = self.rungs[-1]
        if FALLBACK in last.who:
            return self
        rungs = (*self.rungs, Rung((FALLBACK,), last.channels, last.answer_within))
        return Ladder(self.level, self.version, self.confidence, rungs, self.act_within, self.record)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of the ladder that was taken; `reached` is False when it does not count."""

    round: int  # 1 on the first climb
    number: int  # 1 is the first step
    at: datetime
    reached: bool
    rang: bool = False  # of a step that does not count: whether some of its targets ring all the same


@dataclass(frozen=True, slots=True)
class Step:
    """A step to take: not before `starts_at`, answered by `answer_by`."""

    round: int
    number: int
    rung: Rung
    starts_at: datetime

    @property
    def answer_by(self) -> datetime:
        """When the step after this one is due."""
        return self.starts_at + self.rung.answer_within


def next_step(policy: Ladder, history: Sequence[Taken], now: datetime) -> Step:
    """The step that follows this history; there always is one.

    A step that does not count as reached hands over to the next at once. Only the last step of a round always keeps
    its waiting time, so that a ladder on which nobody can be reached keeps trying at a steady pace.
    """
    if not history:
        return Step(1, 1, policy.rungs[0], now)
    last = history[-1]
    is_last = last.number >= len(policy.rungs)
    waits = last.reached or is_last
    due_at = last.at + policy.rungs[min(last.number, len(policy.rungs)) - 1].answer_within if waits else last.at
    climb, number = (last.round + 1, 1) if is_last else (last.round, last.number + 1)
    return Step(climb, number, policy.rungs[number - 1], max(now, due_at))


def nobody_reached(policy: Ladder, history: Sequence[Taken]) -> bool:
    """Whether the last whole round rang nobody: the case is unreachable, and stays so until a step reaches someone."""
    last_round = history[-len(policy.rungs) :]
    return len(history) >= len(policy.rungs) and not any(taken.reached or taken.rang for taken in last_round)


def ladder_of(snapshot: str) -> Ladder:
    """The policy that a case was opened with."""
    return written_ladder(json.loads(snapshot))


def written_ladder(entry: Mapping[str, Any]) -> Ladder:
    """A ladder as a file or a snapshot writes it; ValueError when it would be silent."""
    return Ladder(
        level=entry["level"],
        version=entry["version"],
        confidence=entry["confidence"],
        rungs=tuple(
            Rung(
                tuple(step["who"]),
                tuple(step["channels"] if "channels" in step else entry["channels"]),
                timedelta(minutes=step["answer-within-minutes"]),
                step.get("reach", ANY),
            )
            for step in entry["step"]
        ),
        act_within=timedelta(minutes=entry["act-within-minutes"]),
        record=entry.get("record", ""),
    )


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)

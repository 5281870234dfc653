"""Who is rung next, and when: a pure function of the policy, what happened so far, and the time.

The ladder only climbs: step by step, then from the first step again, for ever, until a person answers. Replaying
it over a case's history is the proof that no step was left out (CL02-A011:5.9.1).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parents[1] / "data" / "ladder.toml"
FALLBACK = "fallback"  # the target behind SLIPRING_FALLBACK_ROUTE


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: these targets ring together and have this long to answer."""

    who: tuple[str, ...]
    channels: tuple[str, ...]
    answer_within: timedelta


@dataclass(frozen=True, slots=True)
class Ladder:
    """The policy of one level, as it stood when the case opened."""

    level: str
    version: str
    confidence: str
    rungs: tuple[Rung, ...]
    act_within: timedelta

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
                "act-within-minutes": _minutes(self.act_within),
                "step": [
                    {
                        "who": list(rung.who),
                        "channels": list(rung.channels),
                        "answer-within-minutes": _minutes(rung.answer_within),
                    }
                    for rung in self.rungs
                ],
            }
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of the ladder that was taken; `reached` is False when it had no route or every attempt failed for good."""

    round: int  # 1 on the first climb
    number: int  # 1 is the first step
    at: datetime
    reached: bool


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

    A step that reached nobody hands over to the next at once. Only the last step of a round always keeps its
    waiting time, so that a ladder on which nobody can be reached keeps trying at a steady pace.
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
    return len(history) >= len(policy.rungs) and not any(taken.reached for taken in history[-len(policy.rungs) :])


def default_ladder(level: str, finding: str = "", *, with_fallback: bool, file: str = "") -> Ladder:
    """The ladder of a finding that has one of its own at this level, else of the level; shipped or from `file`.

    An unknown level rings like level 1. The fallback route, if set, comes last.
    """
    written = _written(Path(file) if file else SHIPPED)
    usual = [one for one in written["ladder"] if "finding" not in one]
    own = [one for one in written["ladder"] if "finding" in one and one["finding"] == finding]
    entry = next((one for one in [*own, *usual] if one["level"] == level), usual[0])
    ladder = _ladder({**entry, "version": written["version"], "confidence": written["confidence"]})
    if not with_fallback:
        return ladder
    last = ladder.rungs[-1]
    rungs = (*ladder.rungs, Rung((FALLBACK,), last.channels, last.answer_within))
    return Ladder(ladder.level, ladder.version, ladder.confidence, rungs, ladder.act_within)


def ladder_of(snapshot: str) -> Ladder:
    """The policy that a case was opened with."""
    return _ladder(json.loads(snapshot))


def _ladder(entry: Mapping[str, Any]) -> Ladder:
    return Ladder(
        level=entry["level"],
        version=entry["version"],
        confidence=entry["confidence"],
        rungs=tuple(
            Rung(tuple(step["who"]), tuple(step["channels"]), timedelta(minutes=step["answer-within-minutes"]))
            for step in entry["step"]
        ),
        act_within=timedelta(minutes=entry["act-within-minutes"]),
    )


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


@cache
def _written(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))

"""The exam's states, as `lifecycle.toml` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.lifecycle import IllegalMove, Table, Transition, load_table, moves, towards

_FILE = Path(__file__).with_name("lifecycle.toml")
TRANSITIONS: Table = load_table(_FILE)

# Before the scan: what may still be judged anew, changed or cancelled.
BEFORE_THE_SCAN = frozenset(
    {
        "received",
        "awaiting-information",
        "awaiting-justification",
        "justified",
        "rejected",
        "scheduled",
        "arrived",
        "ready",
    }
)
# What already happened is recorded whatever stood: also where the exam had been cancelled.
RECORDED_LATE_FROM = BEFORE_THE_SCAN | {"cancelled"}
SCANNED = frozenset({"acquired", "reported", "closed"})  # the patient has been exposed for this exam
OPEN_QUESTIONS = frozenset({"received", "awaiting-information", "awaiting-justification"})


@cache
def _data() -> Mapping[str, Any]:
    with _FILE.open("rb") as file:
        return tomllib.load(file)


def task_status(state: str) -> str:
    """The FHIR Task.status that goes with an exam state."""
    return str(_data()["status"][state])


def states() -> Mapping[str, Mapping[str, str]]:
    """Every state with its names, `zh` and `en`."""
    return dict(_data()["names"])


def names(state: str) -> tuple[str, str]:
    """A state in Chinese and English."""
    entry = _data()["names"].get(state, {"zh": state, "en": state})
    return entry["zh"], entry["en"]


def by_hand(state: str, target: str) -> Transition:
    """The move that a client may make through the API, or IllegalMove with those he may."""
    legal = [line for line in moves(TRANSITIONS, state) if line.by == "anyone"]
    for line in legal:
        if line.next == target:
            return line
    raise IllegalMove(state, target, legal)


def reported(state: str, target: str) -> Transition | None:
    """The move that a scanner's report makes, permitted or not; None when the exam stays where it is."""
    lines = [line for line in moves(TRANSITIONS, state) if line.by in ("anyone", "late", "scanner")]
    return next((line for line in lines if line.next == target), None)


def judged(state: str, target: str) -> Transition:
    """The move that the rules make, or IllegalMove."""
    return towards([line for line in TRANSITIONS if line.by == "rules"], state, target)

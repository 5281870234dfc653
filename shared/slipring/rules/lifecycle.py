"""States that move only along a table, and the table is data that a reviewer can read."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: in this state this event leads there, under this clause."""

    state: str
    event: str
    next: str
    clause: str
    by: str = "anyone"  # whose move it is: "anyone" through the API, "rules", "decision", "service"


Table = Sequence[Transition]


class IllegalMove(Exception):
    """The event is not in the table for this state; `legal` lists the moves that are."""

    def __init__(self, state: str, event: str, legal: Sequence[Transition]) -> None:
        super().__init__(f"no move {event!r} from {state!r}")
        self.state = state
        self.event = event
        self.legal = tuple(legal)


def moves(table: Table, state: str) -> list[Transition]:
    """The moves that are legal in a state."""
    return [line for line in table if line.state == state]


def move(table: Table, state: str, event: str) -> str:
    """The state that follows, or IllegalMove naming the legal moves."""
    for line in table:
        if line.state == state and line.event == event:
            return line.next
    raise IllegalMove(state, event, moves(table, state))


def towards(table: Table, state: str, target: str) -> Transition:
    """The one move that leads from a state to the target, or IllegalMove."""
    for line in table:
        if line.state == state and line.next == target:
            return line
    raise IllegalMove(state, target, moves(table, state))


def load_table(path: Path) -> Table:
    """Read `[[move]]` entries; `from` may be a list, which stands for one line per state."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["move"]
    return tuple(
        Transition(state, entry["event"], entry["to"], entry["clause"], entry.get("by", "anyone"))
        for entry in entries
        for state in (entry["from"] if isinstance(entry["from"], list) else [entry["from"]])
    )

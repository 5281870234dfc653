"""The states of a case, a table read from data/lifecycle.toml; a move not in it is refused, and the legal ones are named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipring.fhir.outcome import conflict
from slipring.rules.lifecycle import IllegalMove, Table, load_table
from slipring.rules.lifecycle import move as follow

_FILE = Path(__file__).with_name("data") / "lifecycle.toml"
_WRITTEN: dict[str, Any] = tomllib.loads(_FILE.read_text("utf-8"))

TRANSITIONS: Table = load_table(_FILE)
# A case in one of these states rings until a person answers.
RINGING: frozenset[str] = frozenset(_WRITTEN["ringing"])
# As long as it is in one of these a message of it may go out and be answered: its owner is rung anew, too.
STILL_RINGS: frozenset[str] = RINGING | {"reopened"}
# Somebody has it, and has not said yet what was done.
AWAITING_ACTION: frozenset[str] = frozenset(_WRITTEN["awaiting-action"])
# A person has received it.
TOLD: frozenset[str] = frozenset(_WRITTEN["told"])
# Somebody has it, and nobody is rung for it.
ANSWERED: frozenset[str] = TOLD - {"reopened"}
# A case in one of these states must have a deadline in the future.
OPEN: frozenset[str] = frozenset(_WRITTEN["open"])
# What `Task.status` shows for each state.
TASK_STATUS: Mapping[str, str] = _WRITTEN["task-status"]
# What a caller may do himself; all other events come from the ladder and its clocks.
_OPERATIONS: Mapping[str, str] = _WRITTEN["operations"]


def move(state: str, event: str) -> str:
    """The state after an event; 409 naming the legal events when the table has no such move."""
    try:
        return follow(TRANSITIONS, state, event)
    except IllegalMove as illegal:
        names = ", ".join(sorted(_OPERATIONS[line.event] for line in illegal.legal if line.event in _OPERATIONS))
        tried = _OPERATIONS.get(event, event)
        raise conflict(
            f"A case that is {state} cannot take '{tried}' now; possible: {names or 'nothing more'}.",
            f"状态为 {state} 的危急值不能执行“{tried}”；当前可执行：{names or '无'}。",
            at="Task.businessStatus",
            detail="critical.illegal-move",
        ) from illegal

"""The life of a reading as `reading_life.toml` lists it, and a Task in one of its states."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from slipring.fhir.outcome import FhirError, conflict
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.lifecycle import IllegalMove, Table, load_table, move

from slipring_report.reading import code_of
from slipring_report.worklist.carrying import named

_FILE = Path(__file__).with_name("reading_life.toml")
TABLE: Table = load_table(_FILE)
_STATUS: dict[str, str] = tomllib.loads(_FILE.read_text(encoding="utf-8"))["status"]
STATE = f"{CANONICAL}/CodeSystem/reading-state"
CLOCK = f"{CANONICAL}/CodeSystem/reporting-clock"
OPEN = frozenset({"unread", "claimed", "awaiting-images"})


def state_of(task: Resource) -> str:
    """Where a reading stands."""
    return code_of(task.get("businessStatus"), STATE) or "none"


def clock_of(task: Resource) -> str:
    """Where its clock stands."""
    return code_of(task.get("businessStatus"), CLOCK)


def in_state(state: str, clock: str) -> dict[str, Any]:
    """The members of a Task that follow from its state and that of its clock; both can be searched by business-status."""
    return {"status": _STATUS[state], "businessStatus": named(("reading-state", state), ("reporting-clock", clock))}


def after(state: str, event: str) -> str:
    """The state that follows; 409 with the moves that are legal where the table has none."""
    try:
        return move(TABLE, state, event)
    except IllegalMove as illegal:
        raise _refused(illegal) from illegal


def _refused(illegal: IllegalMove) -> FhirError:
    legal = ", ".join(f"{line.event} -> {line.next}" for line in illegal.legal if line.by == "reader") or "-"
    return conflict(
        f"A reading that is {illegal.state} takes no {illegal.event}; legal now: {legal}.",
        f"状态为 {illegal.state} 的阅片任务不能 {illegal.event}；目前允许：{legal}。",
        at="Task.businessStatus",
        detail="report.reading-illegal-move",
    )

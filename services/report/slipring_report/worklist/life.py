"""The life of a reading as `reading_life.toml` lists it, and a Task in one of its states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_report.reading import code_of
from slipring_report.worklist.states import life

READINGS = life("reading", "reading-state", Path(__file__).with_name("reading_life.toml"))
CLOCK = f"{CANONICAL}/CodeSystem/reporting-clock"
OPEN = frozenset({"unread", "claimed", "awaiting-images"})
after = READINGS.after
state_of = READINGS.state_of


def clock_of(task: Resource) -> str:
    """Where its clock stands."""
    return code_of(task.get("businessStatus"), CLOCK)


def in_state(state: str, clock: str) -> dict[str, Any]:
    """The members of a Task that follow from its state and that of its clock."""
    return READINGS.members(state, ("reporting-clock", clock))

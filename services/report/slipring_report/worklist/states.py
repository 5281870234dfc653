"""The life of one kind of Task as a table in TOML: moves, what Task.status says in each state, and who moves it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipring.fhir.outcome import FhirError, conflict
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.lifecycle import IllegalMove, Table, load_table, move

from slipring_report.reading import code_of
from slipring_report.worklist.carrying import named


@dataclass(frozen=True, slots=True)
class Life:
    """A table of moves; `system`: the code system of the states (the last part of its address)."""

    kind: str
    system: str
    table: Table
    status: Mapping[str, str]

    def state_of(self, task: Resource) -> str:
        """Where a Task stands."""
        return code_of(task.get("businessStatus"), f"{CANONICAL}/CodeSystem/{self.system}") or "none"

    def after(self, state: str, event: str) -> str:
        """The state that follows; 409 with the moves that a person may make now, where the table has none."""
        try:
            return move(self.table, state, event)
        except IllegalMove as illegal:
            raise self._refused(illegal) from illegal

    def members(self, state: str, *also: tuple[str, str]) -> dict[str, Any]:
        """The members of a Task that follow from its state; all its codes can be searched by business-status."""
        return {"status": self.status[state], "businessStatus": named((self.system, state), *also)}

    def _refused(self, illegal: IllegalMove) -> FhirError:
        legal = ", ".join(f"{line.event} -> {line.next}" for line in illegal.legal if line.by != "service") or "-"
        return conflict(
            f"A {self.kind} that is {illegal.state} takes no {illegal.event}; legal now: {legal}.",
            f"状态为 {illegal.state} 的 {self.kind} 任务不能 {illegal.event}；目前允许：{legal}。",
            at="Task.businessStatus",
            detail=f"report.{self.kind}-illegal-move",
        )


def life(kind: str, system: str, file: Path) -> Life:
    """Read the life of one kind of Task."""
    return Life(kind, system, load_table(file), tomllib.loads(file.read_text(encoding="utf-8"))["status"])

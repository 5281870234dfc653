"""The frozen faults, as they stand in the file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("faults.toml")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, on a day of the quarter (1 to 92), and the record that the finding should name."""

    id: str
    clause: str
    happens: str
    day: int
    names: str
    changed: str = ""  # why it is no longer what it was when it was frozen


def faults() -> tuple[Fault, ...]:
    """All of them, in the order of the file."""
    return tuple(Fault(**entry) for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["fault"])

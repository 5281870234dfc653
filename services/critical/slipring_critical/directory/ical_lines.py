"""The lines of a calendar file (RFC 5545 3.1): where each event stands, and which line is none."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from icalendar.parser import Contentline

from slipring_critical.directory.roster import policy

NOT_A_CALENDAR = "calendar"
_FILE = Path(__file__).parents[1] / "data" / "roster_import.toml"
_READ = frozenset({"VEVENT", "VTIMEZONE"})  # components that a calendar may hold; anything else is told


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be read: why, on which line of the file (0: the file as a whole), of which event, and which part of it."""

    reason: str
    line: int = 0
    uid: str = ""
    seen: str = ""


@cache
def bounds() -> Mapping[str, Any]:
    """How much is read: the numbers of data/roster_import.toml, and the longest shift of a roster."""
    return {**tomllib.loads(_FILE.read_text("utf-8")), "longest-shift-days": policy()["longest-shift-days"]}


def events_at(text: str) -> tuple[list[int], list[Fault]]:
    """The line on which each event of a calendar begins, in order; and what stands there beside events."""
    found: list[int] = []
    faults: list[Fault] = []
    depth: list[str] = []
    for number, line in _unfolded(text):
        try:
            name, _, value = Contentline(line).parts()
        except ValueError:
            faults.append(Fault("line", number))
            continue
        component = str(value).strip().upper()
        if str(name).upper() == "BEGIN":
            if len(depth) == 1 and component == "VEVENT":
                found.append(number)
            elif len(depth) == 1 and component not in _READ:
                faults.append(Fault("component", number, seen=component[:20]))
            depth.append(component)
        elif str(name).upper() == "END" and depth:
            depth.pop()
    if len(found) > bounds()["most-events"]:
        faults.append(Fault("events", found[bounds()["most-events"]], seen=str(bounds()["most-events"])))
    return found, faults


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Every content line with the number of the physical line that it begins on."""
    begun, whole = 0, ""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line[:1] in (" ", "\t") and whole:
            whole += line[1:]
            continue
        if whole.strip():
            yield begun, whole
        begun, whole = number, line
    if whole.strip():
        yield begun, whole

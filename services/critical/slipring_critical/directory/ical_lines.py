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
SHIPPED = Path(__file__).parents[1] / "data" / "roster_import.toml"
Bounds = Mapping[str, Any]
_MOST_OF_SHIPPED = 10  # a department may read ten times as much as is shipped, and no more
_RULE_WORDS = frozenset(
    {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "COUNT", "INTERVAL", "UNTIL", "WKST", "BYSETPOS",
     "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH"}
)  # fmt: skip
_READ = frozenset({"VEVENT", "VTIMEZONE"})  # components that a calendar may hold; anything else is told


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be read: why, on which line of the file (0: the file as a whole), of which event, and which part of it."""

    reason: str
    line: int = 0
    uid: str = ""
    seen: str = ""


def bounds(file: str = "") -> Bounds:
    """How much is read: the numbers of a file of the department's or the shipped ones, and the longest shift of a roster.

    ValueError where the file does not hold them.
    """
    return _read(Path(file) if file else SHIPPED)


@cache
def _read(file: Path) -> Bounds:
    shipped, written = (tomllib.loads(one.read_text("utf-8")) for one in (SHIPPED, file))
    for name, value in shipped.items():
        if name not in written:
            raise ValueError(f"{file.name} does not say {name}")
        if type(value) is int and (type(written[name]) is not int or not 0 < written[name] <= _MOST_OF_SHIPPED * value):
            raise ValueError(f"{file.name}: {name} is a whole number from 1 to {_MOST_OF_SHIPPED * value}")
        if isinstance(value, list) and not (isinstance(written[name], list) and set(written[name]) <= _RULE_WORDS):
            raise ValueError(f"{file.name}: {name} is a list of words of RRULE (RFC 5545 3.3.10)")
    told = {name: one for name, one in written.items() if name in shipped and name not in ("source", "from")}
    return {**told, "longest-shift-days": policy()["longest-shift-days"]}


def events_at(text: str, bounds: Bounds) -> tuple[list[int], list[Fault]]:
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
    if len(found) > (most := bounds["most-events"]):
        faults.append(Fault("events", found[most], seen=str(most)))
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

"""What the worklist is narrowed to, as an address says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from slipring.department import names
from slipring.department.exams import OPEN, STATE_SYSTEM

WAITING = ("awaiting-information", "awaiting-justification")
PRIORITIES = ("stat", "asap", "urgent", "routine")
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_CODE = re.compile(r"[a-z\-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """States, priority, days and scanner; nothing of a patient is in it, so it may stand in an address."""

    state: str = "open"
    priority: str = ""
    on: str = ""  # the day of receipt
    booked: str = ""  # the day that it is booked on
    scanner: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """From an address; what is no such thing is left out."""
        state, priority, scanner = given.get("state", "open"), given.get("priority", ""), given.get("scanner", "")
        on, booked = day_of(given.get("on", "")), day_of(given.get("booked", ""))
        return cls(
            state if _CODE.fullmatch(state) else "open",
            priority if priority in PRIORITIES else "",
            on.isoformat() if on else "",
            booked.isoformat() if booked else "",
            scanner if names.ID.fullmatch(scanner) else "",
        )

    @property
    def waits(self) -> bool:
        """Whether what is wanted still waits for somebody: then the urgent come first, else the newest."""
        return self.state in ("open", "waiting", *OPEN)

    @property
    def address(self) -> str:
        """The same as the query of an address, `?` included; '' for the usual list."""
        usual = Wanted()
        said = {name: getattr(self, name) for name in ("state", "priority", "on", "booked", "scanner")}
        changed = {name: value for name, value in said.items() if value != getattr(usual, name)}
        return f"?{urlencode(changed)}" if changed else ""

    def asked(self, zone: tzinfo) -> list[tuple[str, str]]:
        """States and day of receipt as a search over exams' Tasks."""
        states = {"open": OPEN, "waiting": WAITING, "all": ()}.get(self.state, (self.state,))
        found = [("business-status", ",".join(f"{STATE_SYSTEM}|{state}" for state in states))] if states else []
        return [*found, *_on("authored-on", self.on, zone)]


def _on(parameter: str, day: str, zone: tzinfo) -> list[tuple[str, str]]:
    if not day:
        return []
    begin = datetime.combine(date.fromisoformat(day), time(), zone)
    end = begin + timedelta(days=1)
    return [(parameter, f"ge{begin.isoformat()}"), (parameter, f"lt{end.isoformat()}")]


def day_of(text: str) -> date | None:
    """A day as a form or an address gives it; None for one that no department has."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None

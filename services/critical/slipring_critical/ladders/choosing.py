"""Which ladder a case climbs: of those in force, the one that says most about its finding, its place and the hour. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.rules.calendar import Calendar

from slipring_critical.ladders.ladder import Ladder, written_ladder

SHIPPED = Path(__file__).parents[1] / "data" / "ladder.toml"
DAY, NIGHT, HOLIDAY = "day", "night", "holiday"
HOURS = (DAY, NIGHT, HOLIDAY)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Applied:
    """A ladder and what it is for; what is left empty holds for all."""

    ladder: Ladder
    finding: str = ""  # a code of the catalogue
    places: frozenset[str] = frozenset()  # Location/..., Organization/...
    hour: str = ""  # day | night | holiday
    own: bool = False  # the department's, approved by two
    since: datetime = _ALWAYS
    until: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a ladder is looked for."""

    level: str
    finding: str
    places: frozenset[str]
    hour: str


def choose(own: Iterable[Applied], asked: Asked, now: datetime, *, file: str = "") -> Ladder:
    """The ladder in force that says most: of the finding, then of the place, then of the hour; of equals the newest.

    A ladder that says more goes before one that says less, whoever wrote it; where both say as much, the department's
    own goes before the shipped one. There always is one: a level that nobody knows rings like the first.
    """
    shipped = shipped_ladders(file)
    fits = [one for one in (*shipped, *own) if one.stands(now) and _is_for(one, asked)]
    if not fits:
        first = next(one for one in shipped if not one.finding)
        asked = Asked(first.ladder.level, asked.finding, asked.places, asked.hour)
        fits = [one for one in (*shipped, *own) if one.stands(now) and _is_for(one, asked)]
    return max(fits, key=_says).ladder


def _is_for(one: Applied, asked: Asked) -> bool:
    return (
        one.ladder.level == asked.level
        and one.finding in ("", asked.finding)
        and (not one.places or bool(one.places & asked.places))
        and one.hour in ("", asked.hour)
    )


def _says(one: Applied) -> tuple[bool, bool, bool, bool, datetime]:
    return bool(one.finding), bool(one.places), bool(one.hour), one.own, one.since


def hour_of(now: datetime, calendar: Calendar, zone: ZoneInfo) -> str:
    """Day: from the first working hour of a working day to its last; holiday: a day without any; night: the rest."""
    here = now.astimezone(zone)
    hours = calendar.hours_on(here.date())
    if not hours:
        return HOLIDAY
    return DAY if hours[0][0] <= here.time() < hours[-1][1] else NIGHT


def shipped_ladders(file: str = "") -> Sequence[Applied]:
    """The ladders of `file`, or the shipped ones."""
    return _shipped(Path(file) if file else SHIPPED)


@cache
def _shipped(file: Path) -> Sequence[Applied]:
    written = tomllib.loads(file.read_text("utf-8"))
    common: dict[str, Any] = {name: written[name] for name in ("version", "confidence", "channels") if name in written}
    return tuple(
        Applied(written_ladder({**common, **entry}), finding=entry.get("finding", ""), hour=entry.get("hour", ""))
        for entry in written["ladder"]
    )


def default_ladder(level: str, finding: str = "", *, with_fallback: bool, file: str = "") -> Ladder:
    """The ladder that rings where the department has laid down none; the staffed desk, if there is one, comes last."""
    ladder = choose((), Asked(level, finding, frozenset(), ""), _ALWAYS, file=file)
    return ladder.ending_at_the_desk() if with_fallback else ladder

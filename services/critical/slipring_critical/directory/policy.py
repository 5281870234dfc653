"""What the department has laid down for critical findings, as it stands now: its ladders, approved by two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.service import Desk
from slipring.quality.critical_catalogue import IN_FORCE as EDITIONS
from slipring.quality.critical_catalogue import catalogue
from slipring.rules.calendar import calendar

from slipring_critical.directory.desk import is_staffed
from slipring_critical.ladders.choosing import Applied, Asked, choose, hour_of
from slipring_critical.ladders.ladder import Ladder
from slipring_critical.ladders.record import IN_FORCE, LADDER, ladder_in
from slipring_critical.rules.what_is_critical import FlagFacts

LADDERS = f"{IN_FORCE}{LADDER}"


async def own_ladders(desk: Desk) -> list[Applied]:
    """Every ladder of the department that is active; one that is not in force yet lies among them.

    One that an older edition of this service let pass and this one cannot read never keeps a case from ringing.
    """
    found = []
    for one in await desk.search(LADDERS):
        with suppress(LookupError, ValueError):
            found.append(ladder_in(one))
    return found


def hour_at(desk: Desk, at: datetime) -> str:
    """day, night or holiday by the working calendar."""
    return hour_of(at, calendar(desk.settings.calendar), desk.settings.zone)


async def findings_in_force(desk: Desk) -> Mapping[str, CriticalFinding]:
    """The catalogue: the shipped union with what the department's edition in force adds."""
    return catalogue(await desk.search(EDITIONS), desk.now)


async def flag_facts(desk: Desk, finding: str, level: str) -> FlagFacts:
    """What a flag says, beside what the catalogue in force says of its finding."""
    entry = (await findings_in_force(desk)).get(finding)
    return FlagFacts(finding, level, own_level=entry.level if entry else 0)


async def ladder_for(desk: Desk, level: str, finding: str, places: Iterable[str], at: datetime) -> Ladder:
    """The ladder of a case that opens at this moment; with the staffed desk as its last step where there is one."""
    asked = Asked(level, finding, frozenset(places), hour_at(desk, at))
    ladder = choose(await own_ladders(desk), asked, at, file=desk.settings.ladder)
    return ladder.ending_at_the_desk() if await is_staffed(desk) else ladder

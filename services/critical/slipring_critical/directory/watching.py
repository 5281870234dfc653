"""The hours ahead at which a roster would ring nobody, as a Task for whoever keeps it: opened, kept current, done when they are filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from slipring.fhir.service import CANONICAL, Changes, Desk, Resource, Save, Stored, Wake

from slipring_critical.cases.facts import TASK_CODE, code_of
from slipring_critical.cases.resources import coded, instant
from slipring_critical.directory.alarms import raised, settled
from slipring_critical.directory.people import lacks_routes, names_ahead, names_of, routes_in_force
from slipring_critical.directory.roster import NOBODY, NOT_VERIFIED, Gap, Roster, gaps, policy
from slipring_critical.directory.schedules import ROSTERS, roster_in, with_shifts

ROSTER_LOOK = "roster-look"
ROSTER_GAP = "roster-gap"
GAP_REASON = f"{CANONICAL}/CodeSystem/roster-gap-reason"


def look_key(schedule: str) -> str:
    """The key of the next look at a roster."""
    return f"roster:{schedule}"


def look(schedule: str, after: timedelta = timedelta(0)) -> Wake:
    """Look at a roster once this is committed, or later."""
    return Wake(ROSTER_LOOK, schedule, after=after, key=look_key(schedule))


async def looks(desk: Desk) -> Changes:
    """Every roster is looked at again: a route has come, changed or gone."""
    kept = [one for one in await desk.search(ROSTERS) if not one.source]
    return Changes(wake=[look(one.reference) for one in kept]) if kept else Changes.none()


async def gaps_of(desk: Desk, roster: Roster, start: datetime, end: datetime) -> list[Gap]:
    """The hours between two moments at which a roster would ring nobody by a route of a person that is verified.

    A route of the office itself, such as the telephone on a desk, is always there: with a verified one nothing is a gap.
    """
    endpoints, rhythm = await routes_in_force(desk), desk.settings.rhythm

    def lacks(names: Sequence[str]) -> str:
        return lacks_routes(names, endpoints, desk.now, rhythm)

    if not (office := lacks([roster.target])):
        return []
    turns = roster.turns(start, end, desk.settings.zone)
    people = {person for turn in turns for person in turn.people}
    await desk.foresee(names_ahead(people))
    found = {person: lacks([*await names_of(desk, person), roster.target]) for person in people}
    missing = gaps(turns, lambda person: found[person])
    # Where nobody is on call the office's own route still rings.
    return [replace(gap, reason=office) if gap.reason == NOBODY and office == NOT_VERIFIED else gap for gap in missing]


async def looked(desk: Desk, schedule: Stored) -> Changes:
    """The Task of a roster as its gaps are now, and the next look armed; a roster out of use is looked at no more."""
    tasks = [one for one in await desk.search(f"Task?focus={schedule.reference}") if is_gap_task(one.resource)]
    task = next(iter(tasks), None)
    if schedule.resource.get("active") is False:
        return Changes(save=settled(task, desk), cancel=[look_key(schedule.reference)])
    end = desk.now + timedelta(days=policy()["look-ahead-days"])
    found = await gaps_of(desk, await with_shifts(desk, schedule, desk.now, end), desk.now, end)
    again = look(schedule.reference, timedelta(hours=policy()["look-every-hours"]))
    return Changes(save=_told(task, schedule, found, desk) if found else settled(task, desk), wake=[again])


def is_gap_task(task: Resource) -> bool:
    """Whether a Task tells of the gaps of a roster."""
    return code_of(task.get("code"), TASK_CODE) == ROSTER_GAP


def _told(task: Stored | None, schedule: Stored, found: Sequence[Gap], desk: Desk) -> list[Save]:
    inputs = [
        {"type": coded(GAP_REASON, gap.reason), "valuePeriod": {"start": instant(gap.start), "end": instant(gap.end)}}
        for gap in found
    ]
    about: Resource = {
        "code": coded(TASK_CODE, ROSTER_GAP),
        "focus": {"reference": schedule.reference},
        "description": roster_in(schedule, desk.settings.zone).target,
        "input": inputs,
    }
    return raised(task, about, desk)

"""A roster, a shift or a contact route is saved: what would ring nobody is refused or looked at at once, not when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Ahead, Changes, Desk, Due, Resource, Stored, Write

from slipring_critical.answering.answers import RECEIVE
from slipring_critical.cases.facts import reference_of
from slipring_critical.directory.people import demand_keeper, lacking, names_ahead, names_of, reachable, routes_in_force
from slipring_critical.directory.roster import Turn
from slipring_critical.directory.schedules import (
    ON_CALL,
    hours_of,
    is_roster,
    members,
    person_of,
    roster_faults,
    roster_in,
    shift_faults,
)
from slipring_critical.directory.watching import look, look_key, looked

_FIRST_TURNS = timedelta(days=366)  # how far ahead the first turn of a member is looked for


async def roster_written(write: Write, desk: Desk) -> Changes:
    """Refuse a roster with somebody on it who could not be rung, with the hours of his first turn, or may not receive.

    Then look for gaps.
    """
    schedule, before = write.resource, write.before.resource if write.before else {}
    if not is_roster(schedule) and not is_roster(before):
        return Changes.none()
    await demand_keeper(desk, "Schedule")
    if write.method == "delete":
        return Changes(cancel=[look_key(write.reference)])
    if issues := list(roster_faults(schedule)):
        raise FhirError(422, issues)
    turns = roster_in(Stored(schedule, 1, desk.now), desk.settings.zone).turns(
        desk.now, desk.now + _FIRST_TURNS, desk.settings.zone
    )
    endpoints, on_it = await routes_in_force(desk), members(schedule)
    await desk.foresee(Ahead(list(on_it), names_ahead(on_it).queries))
    issues = []
    for place, one in enumerate(schedule.get("actor", [])):
        if (who := reference_of(one)) in on_it:
            first = next((turn for turn in turns if who in turn.people), None)
            issues += await unfit(desk, who, endpoints, f"Schedule.actor[{place}]", first)
    if issues and schedule.get("active") is not False:
        raise FhirError(422, issues)
    return Changes(wake=[look(write.reference)])


async def shift_written(write: Write, desk: Desk) -> Changes:
    """Refuse a shift of somebody who could not be rung or may not receive.

    Whatever changes about shifts, the roster is looked at again.
    """
    slot = write.resource
    schedule = await desk.read(reference_of(slot.get("schedule")))
    if schedule is None or not is_roster(schedule.resource):
        return Changes.none()
    await demand_keeper(desk, "Slot")
    if write.method != "delete" and slot.get("status") != "entered-in-error":
        if issues := list(shift_faults(slot)):
            raise FhirError(422, issues)
        turn = Turn(*hours_of(slot), ())
        issues = await unfit(desk, person_of(slot, ON_CALL), await routes_in_force(desk), "Slot.extension", turn)
        if issues:
            raise FhirError(422, issues)
    return Changes(wake=[look(schedule.reference)])


async def roster_due(due: Due, desk: Desk) -> Changes:
    """Look at the days ahead of a roster; it is looked at again tomorrow."""
    schedule = await desk.read(due.subject)
    return await looked(desk, schedule) if schedule is not None else Changes.none()


async def unfit(desk: Desk, who: str, endpoints: Sequence[Resource], at: str, turn: Turn | None) -> list[Issue]:
    """Why somebody is put on no roster: he is not on the register, may not receive, or has no route for the hours of `turn`."""
    names = await names_of(desk, who)
    behind = next((name for name in names if name.startswith("Practitioner/")), "")
    person = await desk.read(behind) if behind else None
    if person is None or person.resource.get("active") is False:
        return [
            Issue("business-rule", zh="该人员未登记或已停用。", en="Nobody of this name is on the staff register and active.",
                  at=at, detail="critical.roster-person")
        ]  # fmt: skip
    may_not = [
        Issue(
            "business-rule", zh=f"该人员无权接收危急值，不能排班：{reason.zh}",
            en=f"This person may not receive critical findings, so is not put on call: {reason.en}",
            at=at, detail="critical.roster-may-not-receive",
        )
        for reason in await lacking(desk, RECEIVE, behind)
    ]  # fmt: skip
    if reachable(names, endpoints):
        return may_not
    hours = f" {_shown(turn.start, desk)} - {_shown(turn.end, desk)}" if turn else ""
    return [
        *may_not,
        Issue(
            "business-rule",
            zh=f"该人员没有可用的联系方式，值班时段{hours}将无人接听；请先登记联系方式（Endpoint）。",
            en=f"There is no route by which this person is rung on call{hours}: register one first (Endpoint).",
            at=at,
            detail="critical.roster-no-route",
        ),
    ]


def _shown(at: datetime, desk: Desk) -> str:
    return at.astimezone(desk.settings.zone).strftime("%Y-%m-%d %H:%M")


def known_roster(stored: Stored | None, at: str) -> Stored:
    """The roster that an operation is asked of; 422 for a Schedule that is none."""
    if stored is None or not is_roster(stored.resource):
        raise unprocessable(
            "This Schedule is no roster of an office.", "该日程不是值班表。", at=at, detail="critical.roster-none"
        )
    return stored

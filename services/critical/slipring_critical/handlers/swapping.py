"""Two people swap a turn: one asks, the other accepts; what was agreed stands as Slots, with every version kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from slipring.fhir.outcome import conflict, forbidden, unprocessable
from slipring.fhir.search.moment import counts
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource, Save, Stored, successor

from slipring_critical.answering.answers import RECEIVE
from slipring_critical.cases.facts import reference_of
from slipring_critical.cases.resources import instant
from slipring_critical.directory.people import lacking, names_of, reachable, routes_in_force
from slipring_critical.directory.roster import Turn, policy
from slipring_critical.directory.schedules import (
    ASKED,
    COUNTS,
    INSTEAD_OF,
    ON_CALL,
    SWAP,
    hours_of,
    person_of,
    with_shifts,
)
from slipring_critical.directory.watching import look
from slipring_critical.handlers.rosters import known_roster
from slipring_critical.ladders.record import moment

ASKED_BY = f"{CANONICAL}/StructureDefinition/on-call-asked-by"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Given:
    """One turn that goes from one person to another."""

    turn: Turn
    to: str
    instead_of: str


async def swap_asked(call: Call, desk: Desk) -> Changes:
    """Whoever is on call asks somebody to take his turn, for one of theirs or for none; nothing changes until they accept."""
    me = _signed_in(desk)
    schedule = known_roster(await desk.read(reference_of(call.value("roster"))), call.at("roster"))
    other = reference_of(call.value("with"))
    theirs = await names_of(desk, other)
    if me in theirs or not reachable(theirs, await routes_in_force(desk)):
        raise unprocessable(
            "Somebody else with a contact route is asked.", "须请另一名已登记联系方式的人员接班。",
            at=call.at("with"), detail="critical.swap-with",
        )  # fmt: skip
    behind = next((name for name in theirs if name.startswith("Practitioner/")), "")
    if reasons := await lacking(desk, RECEIVE, behind):
        raise unprocessable(
            f"Whoever takes a turn may receive critical findings: {reasons[0].en}", f"接班人员须有权接收危急值：{reasons[0].zh}",
            at=call.at("with"), detail="critical.swap-may-not-receive",
        )  # fmt: skip
    given = [await _given(desk, schedule, call, "at", me, other)]
    if call.value("return") is not None:
        given.append(await _given(desk, schedule, call, "return", other, me))
    swap = desk.new_id()
    slots = [_as_slot(one, schedule, swap, me, desk) for one in given]
    answer = [{"name": "return", "resource": slot} for slot in slots]
    return Changes(save=[Save(slot) for slot in slots], answer={"resourceType": "Parameters", "parameter": answer})


async def swap_answered(call: Call, desk: Desk) -> Changes:
    """The one who was asked accepts, and the turns are theirs; either of the two may put it aside."""
    me, slot = _signed_in(desk), call.target
    swap = _swap_of(slot.resource) if slot else ""
    if slot is None or not swap:
        raise unprocessable(
            "This Slot is no swap.", "该班次不是换班申请。", at="Slot.identifier", detail="critical.swap-none"
        )
    group = [one for one in await desk.search(f"Slot?identifier={SWAP}|{swap}") if not one.source]
    accepted = call.value("accept") is not False
    by = person_of(slot.resource, ASKED_BY)
    mine = await names_of(desk, me)
    parties = {
        name for one in group for name in (person_of(one.resource, ON_CALL), person_of(one.resource, INSTEAD_OF))
    }
    if not parties & set(mine) or (accepted and me == by):
        raise forbidden(
            "A swap is accepted by the person who was asked.", "换班须由被请求的人接受。",
            at="Slot.extension", detail="critical.swap-other",
        )  # fmt: skip
    if any(one.resource["status"] != ASKED for one in group):
        raise conflict(
            "This swap has been answered already.",
            "该换班申请已处理。",
            at="Slot.status",
            detail="critical.swap-answered",
        )
    if accepted:
        await _demand_still_theirs(group, desk)
    status = COUNTS if accepted else "entered-in-error"
    saves = [successor(one, status=status) for one in group]
    first = next(save.resource for save in saves if save.resource["id"] == slot.resource["id"])
    return Changes(save=saves, wake=[look(reference_of(slot.resource["schedule"]))], answer=first)


async def _given(desk: Desk, schedule: Stored, call: Call, name: str, who: str, to: str) -> Given:
    """The turn of somebody at a moment, which goes to another."""
    at = moment(str(call.value(name) or ""))
    longest = timedelta(days=policy()["longest-shift-days"])
    names = set(await names_of(desk, who))
    turns: list[Turn] = []
    if at is not None and at > desk.now and counts(at):
        roster = await with_shifts(desk, schedule, at - longest, at + longest)
        turns = roster.turns(at - longest, at + longest, desk.settings.zone)
    turn = next((one for one in turns if at and one.start <= at < one.end and names & set(one.people)), None)
    if turn is None:
        raise unprocessable(
            "At this moment to come that person is not on call by this roster.",
            "该时刻须在将来，且该人员须在此值班表上值班。",
            at=call.at(name),
            detail="critical.swap-turn",
        )
    held = next(one for one in turn.people if one in names)
    return Given(Turn(max(turn.start, desk.now), turn.end, turn.people), to, held)


def _as_slot(given: Given, schedule: Stored, swap: str, asked_by: str, desk: Desk) -> Resource:
    named = ((ON_CALL, given.to), (INSTEAD_OF, given.instead_of), (ASKED_BY, asked_by))
    return {
        "resourceType": "Slot",
        "id": desk.new_id(),
        "extension": [{"url": url, "valueReference": {"reference": who}} for url, who in named],
        "identifier": [{"system": SWAP, "value": swap}],
        "schedule": {"reference": schedule.reference},
        "status": ASKED,
        "start": instant(given.turn.start),
        "end": instant(given.turn.end),
    }


async def _demand_still_theirs(group: list[Stored], desk: Desk) -> None:
    for one in group:
        start, end = hours_of(one.resource)
        schedule = await desk.read(reference_of(one.resource["schedule"]))
        stands: tuple[str, ...] = ()
        if schedule is not None and end > desk.now:
            at = max(start, desk.now)
            stands = (await with_shifts(desk, schedule, at, at + _MOMENT)).on_call(at, desk.settings.zone)
        if person_of(one.resource, INSTEAD_OF) not in stands:
            raise conflict(
                "The roster has changed since, or the turn is over: ask for another swap.",
                "值班表已变更或该班次已结束：请重新申请换班。",
                at="Slot.start",
                detail="critical.swap-stale",
            )


def _swap_of(slot: Resource) -> str:
    return next((str(one.get("value", "")) for one in slot.get("identifier", []) if one.get("system") == SWAP), "")


def _signed_in(desk: Desk) -> str:
    if not desk.caller.practitioner:
        raise forbidden(
            "A swap is agreed by people who are signed in.", "换班须由本人登录办理。",
            at="Slot.extension", detail="critical.swap-person",
        )  # fmt: skip
    return desk.caller.practitioner

"""What a department asks of its directory, storing nothing: who is on call when, and who would be rung."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.search.moment import counts
from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.quality.flagging import level_said

from slipring_critical.cases.facts import reference_of
from slipring_critical.cases.resources import instant
from slipring_critical.directory.people import names_of
from slipring_critical.directory.policy import flag_facts, hour_at, ladder_for
from slipring_critical.directory.proving import VERIFIED, state_of
from slipring_critical.directory.roster import NOT_VERIFIED, policy
from slipring_critical.directory.routes import Directory, Route, place_and_keeper, standing_behind
from slipring_critical.directory.schedules import with_shifts
from slipring_critical.directory.watching import gaps_of
from slipring_critical.handlers.rosters import known_roster
from slipring_critical.ladders.ladder import Ladder, Rung, Step, Taken, next_step
from slipring_critical.ladders.record import moment
from slipring_critical.rules.what_is_critical import level_of


async def on_call_told(call: Call, desk: Desk) -> Changes:
    """Everybody's turns between two moments, and the hours from now on at which nobody would be rung."""
    schedule = known_roster(call.target, "Schedule.serviceType")
    start = _moment(call, "from") or desk.now
    until = _moment(call, "until") or start + timedelta(days=policy()["look-ahead-days"])
    longest = policy()["longest-look-days"]
    if not start < until <= start + timedelta(days=longest):
        raise unprocessable(
            f"until lies after from, within {longest} days.", f"until 须晚于 from，且不超过 {longest} 天。",
            at=call.at("until"), detail="critical.on-call-span",
        )  # fmt: skip
    roster = await with_shifts(desk, schedule, start, until)
    turns = [
        _part("turn", ("start", "valueInstant", instant(one.start)), ("end", "valueInstant", instant(one.end)),
              *(("person", "valueReference", {"reference": who}) for who in one.people))
        for one in roster.turns(start, until, desk.settings.zone)
    ]  # fmt: skip
    missing = [
        _part("gap", ("start", "valueInstant", instant(one.start)), ("end", "valueInstant", instant(one.end)),
              ("reason", "valueCode", one.reason), *(("person", "valueReference", {"reference": who}) for who in one.people))
        for one in await gaps_of(desk, roster, start, until)
    ]  # fmt: skip
    office = {"name": "office", "valueCode": roster.target}
    return Changes(answer={"resourceType": "Parameters", "parameter": [office, *turns, *missing]})


async def who_is_rung(call: Call, desk: Desk) -> Changes:
    """Whom a finding would ring, step by step through the first round, if nobody answered; with every gap named."""
    at = _moment(call, "at") or desk.now
    finding, given = str(call.value("finding") or ""), level_said(call, "critical.level-unknown")
    named: dict[str, tuple[str, ...]] = {}
    if requester := reference_of(call.value("requester")):
        named["requester"] = await names_of(desk, requester)
    if ward := reference_of(call.value("ward")):
        named["ward"] = await place_and_keeper(desk, ward)
    ladder = await ladder_for(
        desk, level_of(await flag_facts(desk, finding, given)), finding, named.get("ward", ()), at
    )
    parameters: list[Resource] = [
        {"name": "level", "valueCode": ladder.level},
        {"name": "hour", "valueCode": hour_at(desk, at)},
        {"name": "version", "valueString": ladder.version},
        {"name": "confirmed", "valueBoolean": ladder.confidence.startswith("S")},
    ]
    if ladder.record:
        parameters.append({"name": "record", "valueReference": {"reference": ladder.record}})
    for number, step, people in await _first_round(ladder, named, at, desk):
        parameters.append(_as_step(number, step, people, at, desk))
    return Changes(answer={"resourceType": "Parameters", "parameter": parameters})


async def _first_round(
    ladder: Ladder, named: dict[str, tuple[str, ...]], at: datetime, desk: Desk
) -> list[tuple[int, Step, Directory]]:
    """The steps as they would be taken: each looks the directory up as it will stand then."""
    history: list[Taken] = []
    found = []
    now = at
    for number in range(1, len(ladder.rungs) + 1):
        step = next_step(ladder, history, now)
        now = step.starts_at
        people = await standing_behind(desk, dict(named), now)
        routes, missing = people.routes(step.rung)
        history.append(Taken(step.round, step.number, now, step.rung.reached_by(missing), rang=bool(routes)))
        found.append((number, step, people))
    return found


def _as_step(number: int, step: Step, people: Directory, at: datetime, desk: Desk) -> Resource:
    routes, missing = people.routes(step.rung)
    outcome = "rung" if step.rung.reached_by(missing) else "partly" if routes else "nobody"
    rung: Rung = step.rung
    return _part(
        "step",
        ("number", "valuePositiveInt", number),
        ("starts", "valueInstant", instant(step.starts_at)),
        ("after", "valueDecimal", (step.starts_at - at) / timedelta(minutes=1)),
        ("answerWithin", "valueDecimal", rung.answer_within / timedelta(minutes=1)),
        ("reach", "valueCode", rung.reach),
        ("outcome", "valueCode", outcome),
        *(("target", "part", _as_target(role, rung, people, desk)) for role in dict.fromkeys(rung.who)),
    )


def _as_target(role: str, rung: Rung, people: Directory, desk: Desk) -> list[Resource]:
    """One target: who stands behind it, by which routes, or why nobody would be rung."""
    routes, missing = people.routes(Rung((role,), rung.channels, rung.answer_within))
    parts: list[Resource] = [{"name": "role", "valueCode": role}]
    parts += [
        {"name": "person", "valueReference": {"reference": who}}
        for who in people.holders.get(role, ())
        if who.startswith("Practitioner/")
    ]
    states = _states(routes, people, desk)
    for route, state in zip(routes, states, strict=True):
        inside: list[Resource] = [{"name": "channel", "valueCode": route.channel}]
        if route.endpoint:
            inside.append({"name": "endpoint", "valueReference": {"reference": route.endpoint}})
        if route.recipient:
            inside.append({"name": "owner", "valueReference": {"reference": route.recipient}})
        inside.append({"name": "state", "valueCode": state})
        parts.append({"name": "route", "part": inside})
    if missing:
        parts.append({"name": "gap", "valueCode": people.why(role)})
    elif VERIFIED not in states:
        parts.append({"name": "gap", "valueCode": NOT_VERIFIED})
    return parts


def _states(routes: Sequence[Route], people: Directory, desk: Desk) -> list[str]:
    """How each route stands; that of the settings has nothing to prove."""
    known = {f"Endpoint/{one['id']}": one for one in people.endpoints}
    rhythm = desk.settings.rhythm
    return [state_of(known[r.endpoint], desk.now, rhythm) if r.endpoint else VERIFIED for r in routes]


def _moment(call: Call, name: str) -> datetime | None:
    text = call.value(name)
    at = moment(str(text)) if text is not None else None
    if text is not None and (at is None or not counts(at)):
        raise unprocessable(
            f"{name} is a moment with a time zone, at neither end of the calendar.",
            f"{name} 须为带时区的时刻，且不在历法两端。", at=call.at(name), code="invalid", detail="critical.moment",
        )  # fmt: skip
    return at


def _part(name: str, *members: tuple[str, str, Any]) -> Resource:
    return {"name": name, "part": [{"name": each, member: value} for each, member, value in members]}

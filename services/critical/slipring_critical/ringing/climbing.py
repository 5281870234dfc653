"""The shell around the ladder: take every step that is due, and arm the deadline of the one after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from slipring.fhir.service import Ahead, Changes, Desk, Resource, Save, Stored, Wake, successor

from slipring_critical.cases.facts import CaseFacts, Event, attempt_route, case_facts, reference_of
from slipring_critical.cases.resources import in_state, with_event
from slipring_critical.channels import CHANNELS
from slipring_critical.directory.routes import Directory, Route, directory
from slipring_critical.ladders.ladder import Rung, Step, Taken, next_step, nobody_reached
from slipring_critical.lifecycle import move
from slipring_critical.ringing.attempts import as_attempt, as_reason
from slipring_critical.ringing.links import linked
from slipring_critical.ringing.one_call import Call, calls_of_the_exam, cases_of, rings_already
from slipring_critical.ringing.reply_codes import reply_code, with_code

OPEN_CASE = "open-case"
STEP_OVERDUE = "step-overdue"
ACTED_OVERDUE = "acted-overdue"
ATTEMPT_FAILED = "attempt-failed"
DEADLINE_MISSING = "deadline-missing"
SEND = "send"
_URGENCY = {"stat": 0, "urgent": 1, "routine": 2}


def step_key(case: str) -> str:
    """The key of the deadline by which somebody must have answered."""
    return f"step:{case}"


def act_key(case: str) -> str:
    """The key of the deadline by which something must have been done."""
    return f"act:{case}"


def send_key(communication: str) -> str:
    """The key of the errand that delivers one attempt; it keeps its attempt id until it is done."""
    return f"send:{communication}"


def failed_key(communication: str) -> str:
    """The key of the look that follows an attempt which failed."""
    return f"failed:{communication}"


def urgency_of_level(level: str) -> int:
    """The same for a finding that has no case yet; one without a level counts as the most urgent."""
    return int(level) - 1 if level in ("1", "2", "3") else 0


def urgency_of(case: Resource) -> int:
    """How urgent what rings for a case is among all that is due: its level counted from nought."""
    return _URGENCY.get(case.get("priority", ""), 0)


@dataclass(slots=True)
class Ringing:
    """A case while it is being rung: the tree so far and what goes with it into the commit."""

    case: Resource
    waiting: list[Stored]  # attempts still in preparation
    save: list[Save] = field(default_factory=list)
    wake: list[Wake] = field(default_factory=list)
    cancel: list[str] = field(default_factory=list)

    def changes(self, version: int) -> Changes:
        """All of it as one commit on top of `version` (0: the case is new)."""
        return Changes(save=[Save(self.case, replaces=version or None), *self.save], wake=self.wake, cancel=self.cancel)

    async def ring(self, route: Route, desk: Desk, *, within: timedelta) -> None:
        """One more attempt to a route, tried again for no longer than its step lasts.

        One still waiting for the same route is stopped, so none piles up. Where the gateway gives replies back, the
        attempt may be answered by its code.
        """
        for older in [one for one in self.waiting if attempt_route(one.resource) == route.endpoint]:
            self.waiting.remove(older)
            self.stop(older, "superseded")
        attempt = as_attempt(desk.new_id(), self.case, route)
        self.send(attempt, until=desk.now + within, code=await reply_code(route.channel, desk))

    def send(self, attempt: Resource, *, until: datetime | None = None, code: str = "") -> None:
        """An attempt to deliver, under a link of its own; tried again until then, or until it is told."""
        kept, payload = linked(attempt)
        kept = with_code(kept, code)
        reference = f"Communication/{attempt['id']}"
        if until is not None:
            payload["until"] = until.isoformat()
        self.save.append(Save(kept))
        urgency = urgency_of(self.case)
        self.wake.append(Wake(SEND, reference, key=send_key(reference), payload=payload, urgency=urgency))

    def stop(self, attempt: Stored, reason: str) -> None:
        """An attempt that shall not go out any more."""
        self.save.append(successor(attempt, status="stopped", statusReason=as_reason(reason)))
        self.cancel.append(send_key(attempt.reference))


async def ringing(case: Resource, desk: Desk) -> Ringing:
    """Begin to ring for a case, knowing which attempts are still on their way."""
    waiting = f"Communication?part-of=Task/{case['id']}&status=preparation"
    request, patient = reference_of(case.get("reasonReference")), reference_of(case.get("for"))
    await desk.foresee(Ahead([request], [waiting, *([cases_of(patient)] if patient else [])]))
    return Ringing(case, await desk.search(waiting))


async def climb(rung: Ringing, desk: Desk, *, at_once: bool = False) -> None:
    """Take the steps that are due now and arm the deadline of the next; `at_once` takes one even before its time.

    A step without any route is on record and hands over to the next at once; a ladder without any route at all
    leaves the case unreachable, with the next round's deadline armed.
    """
    facts = case_facts(rung.case)
    people = await directory(desk, facts.request, {})
    calls = await calls_of_the_exam(facts, desk)
    history = list(facts.history)
    step = next_step(facts.policy, history, desk.now)
    while at_once or step.starts_at <= desk.now:
        at_once = False
        taken = await _take(rung, replace(step, starts_at=desk.now), people, calls, desk)
        history.append(taken)
        rung.case = in_state(rung.case, _state_after(facts, history))
        step = next_step(facts.policy, history, desk.now)
    # A clock that was set back must not stretch the wait beyond what the policy says.
    wait = min(step.starts_at - desk.now, facts.policy.rungs[history[-1].number - 1].answer_within)
    case = facts.reference
    steps = {"steps": len(history)}
    urgency = urgency_of(rung.case)
    rung.wake.append(Wake(STEP_OVERDUE, case, after=wait, key=step_key(case), payload=steps, urgency=urgency))


def by_any_channel(step: Rung, who: Sequence[str]) -> Rung:
    """The same step for some of its targets, by whatever route they have."""
    return Rung(tuple(who), tuple(CHANNELS), step.answer_within)


async def _take(rung: Ringing, step: Step, people: Directory, calls: Sequence[Call], desk: Desk) -> Taken:
    routes, without = people.routes(step.rung)
    others, missing = people.routes(by_any_channel(step.rung, without)) if without else ([], [])
    for target in missing:
        why = people.gaps.get(target, "")  # a hole in the roster is on record
        rung.case = with_event(rung.case, Event("no-route", desk.now, target, step.round, step.number, why))
    routes += [route for route in others if route.endpoint not in {one.endpoint for one in routes}]
    shared = {
        route.endpoint: rings_already(calls, route.endpoint, desk.now - step.rung.answer_within) for route in routes
    }
    for other in dict.fromkeys(case for case in shared.values() if case):
        rung.case = with_event(rung.case, Event("rings-with", desk.now, other, step.round, step.number))
    for route in routes:
        if not shared[route.endpoint]:
            await rung.ring(route, desk, within=step.rung.answer_within)
    reached = step.rung.reached_by(missing)
    outcome = "rung" if reached else "partly" if routes else "nobody"
    rung.case = with_event(rung.case, Event("step", desk.now, "", step.round, step.number, outcome))
    return Taken(step.round, step.number, desk.now, reached, rang=bool(routes))


def _state_after(facts: CaseFacts, history: list[Taken]) -> str:
    if nobody_reached(facts.policy, history):
        return move("notifying", "nobody-reached")
    return move("detected", "ring") if len(history) == 1 else move("notifying", "climb")

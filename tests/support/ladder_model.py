"""A case and its ladder explored state by state: whatever can happen next happens, until nothing new comes of it.

The handlers are the real ones, on the desk in memory. Two states count as the same when the case stands the same, the
same is armed with the same time left, and the same attempts wait, so that the search ends although time does not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from slipring_critical.cases.facts import CASE_STATE, case_facts, code_of
from slipring_critical.lifecycle import OPEN
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.support.ladder_world import HAPPENINGS, World, role
from tests.support.ringing import ARinging, a_doctor, a_finding, a_handover, a_request, a_route
from tests.support.short_ladder import short_ladder


class Broken(AssertionError):
    """An invariant does not hold; the message tells the way there."""


def holds(before: World, after: World) -> None:
    """The four promises; `before` and `after` are one step apart."""
    ringing = after.ringing
    facts, earlier = case_facts(ringing.case), case_facts(before.ringing.case)
    _must(facts.state not in OPEN or _has_a_deadline(ringing), after, "an open case without a deadline")
    steps = [(taken.round - 1) * len(facts.policy.rungs) + taken.number for taken in facts.history]
    _must(steps == list(range(1, len(steps) + 1)), after, f"a step skipped, or the ladder went down: {steps}")
    _must(facts.history[: len(earlier.history)][:-1] == earlier.history[:-1], after, "the past was changed")
    if facts.state in ("read-back-confirmed", "closed") and earlier.state == facts.state:
        _must(len(ringing.receivers.heard) == len(before.ringing.receivers.heard), after, "it rang after the answer")
        _must(_attempts(ringing) == _attempts(before.ringing), after, "an attempt was begun after the answer")
    if facts.state == "closed":
        _must({role(key) for key in ringing.armed} <= {"failed"}, after, "something is armed for nobody")
    _must(code_of(ringing.case["businessStatus"], CASE_STATE) in OPEN or facts.state == "closed", after, "lost")


def _has_a_deadline(ringing: ARinging) -> bool:
    """Armed for the case itself; what is overdue counts, because it fires at once."""
    case = f"Task/{ringing.case['id']}"
    return any(one.wake.subject == case and one.wake.name in SERVICE.timers for one in ringing.armed.values())


def _attempts(ringing: ARinging) -> int:
    return sum(reference.startswith("Communication/") for reference in ringing.desk.held)


def _must(so: bool, world: World, otherwise: str) -> None:
    if not so:
        raise Broken(f"{otherwise}, by: {' > '.join(world.path)}")


@dataclass
class Explored:
    """What the search saw."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    whole: bool = False  # nothing new is left
    kinds: set[str] = field(default_factory=set)  # states of the case that were reached


async def explored(folder: Path, *, most: int) -> Explored:
    """Breadth first from a case just opened, until no state is new or `most` have been looked at."""
    ladder = short_ladder(folder, answer=(1, 1), act=2)
    people = [a_request(), *a_doctor("requester"), *a_doctor("author")]
    routes = [a_route("Practitioner/o-requester", "requester.test"), a_route("ward-duty", "duty.test")]
    ringing = ARinging(*people, *routes, settings=CriticalSettings(ladder=str(ladder)))
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    first, found = World(ringing), Explored()
    seen, waiting = {first.key}, deque([first])
    while waiting and found.states < most:
        world = waiting.popleft()
        found.states += 1
        found.kinds.add(world.ringing.state)
        found.depth = max(found.depth, len(world.path))
        for name, happens in HAPPENINGS.items():
            after = world.copy()
            after.path = (*world.path, name)
            await happens(after)
            found.transitions += 1
            holds(world, after)
            if after.key not in seen:
                seen.add(after.key)
                waiting.append(after)
    found.whole = not waiting
    return found

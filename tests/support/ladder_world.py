"""One state of a case and everything around it, which can be copied, and what can happen next to it.

The handlers are the real ones, on the desk in memory.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slipring.fhir.caller import itself
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Due, Errand
from slipring_critical.cases.facts import attempt_route, case_facts
from slipring_critical.channels.channel import DeliveryFailed
from slipring_critical.channels.providers import Providers
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.support.ringing import FINDING, ARinging, Armed

NETWORKS = {"works": 200, "down": 503, "gone": 404}
OUTAGE = timedelta(minutes=5)
Key = tuple[Any, ...]


@dataclass
class World:
    """One state of everything, which can be copied."""

    ringing: ARinging
    network: str = "works"
    path: tuple[str, ...] = ()

    def copy(self) -> World:
        """Resources are never changed in place, so that the tables suffice."""
        old = self.ringing
        new: ARinging = copy.copy(old)
        new.desk = copy.copy(old.desk)
        new.desk.held, new.desk.versions = dict(old.desk.held), dict(old.desk.versions)
        new.desk._numbers = dict(old.desk._numbers)
        new.armed = {key: copy.copy(armed) for key, armed in old.armed.items()}
        new.keys, new.saved = set(old.keys), []
        new.receivers = copy.copy(old.receivers)
        new.receivers.answers, new.receivers.heard = dict(old.receivers.answers), list(old.receivers.heard)
        new._client = _client(new)
        new.desk.settings = _with_providers(new)
        return World(new, self.network, self.path)

    @property
    def key(self) -> Key:
        """What two states must share to be the same."""
        ringing = self.ringing
        facts = case_facts(ringing.case)
        last = facts.history[-1]
        armed = sorted(
            (role(key), _left(one, ringing), bool(one.attempts), one.wake.payload.get("tries", 0))
            for key, one in ringing.armed.items()
        )
        attempts = sorted(
            (attempt_route(stored.resource), stored.resource["status"], "statusReason" in stored.resource)
            for stored in ringing.desk.held.values()
            if stored.resource["resourceType"] == "Communication"
            and (stored.resource["status"] == "preparation" or _since(stored.resource, last.at))
        )
        return (facts.state, last.number, last.reached, tuple(armed), tuple(attempts), self.network)


def role(key: str) -> str:
    """What something armed is for."""
    return key.partition(":")[0]


def _left(one: Armed, ringing: ARinging) -> float:
    return max(-1.0, round((one.due_at - ringing.desk.now).total_seconds()))


def _since(attempt: Any, at: Any) -> bool:
    return bool(attempt.get("sent")) and attempt["sent"] >= at.isoformat(timespec="milliseconds")


def _client(ringing: ARinging) -> Any:
    import httpx

    return httpx.AsyncClient(transport=httpx.MockTransport(ringing.receivers))


def _with_providers(ringing: ARinging) -> CriticalSettings:
    from dataclasses import replace

    return replace(ringing.desk.settings, providers=Providers(ringing._seconds))


async def decided(world: World, key: str) -> Changes | None:
    """What the handler of something armed wants to store; None when it is left for another try."""
    ringing, armed = world.ringing, world.ringing.armed[key]
    wake = armed.wake
    if wake.name in SERVICE.timers:
        return await SERVICE.timers[wake.name](
            Due(wake.name, wake.subject, key, armed.due_at, wake.payload), ringing.desk
        )
    errand = Errand(
        wake.name, wake.subject, key, armed.attempt_id, armed.attempts > 0, armed.attempts + 1, wake.payload
    )
    try:
        return await SERVICE.errands[wake.name](errand, ringing.desk, ringing._client)
    except DeliveryFailed:
        return None


def due(world: World) -> str:
    """What is due next."""
    return min(world.ringing.armed, key=lambda key: (world.ringing.armed[key].due_at, key), default="")


def stale(world: World, changes: Changes) -> bool:
    """Whether the kernel would refuse the commit: something it replaces has changed."""
    held = world.ringing.desk.held
    return any(
        (save.replaces or 0)
        != (standing.version if (standing := held.get(f"{save.resource['resourceType']}/{save.resource['id']}")) else 0)
        for save in changes.save
    )


def to_the_time(world: World, key: str, more: timedelta = timedelta(0)) -> None:
    """The clock goes on to the moment of something armed, or past it."""
    world.ringing._set_clock(max(world.ringing.desk.now, world.ringing.armed[key].due_at) + more)


async def fires(world: World) -> None:
    """The next deadline or errand, on time."""
    await _complete(world, due(world))


async def fires_late(world: World) -> None:
    """Everything stood still for some minutes; then the next."""
    key = due(world)
    if key:
        to_the_time(world, key, OUTAGE)
        await _complete(world, key)


async def _complete(world: World, key: str) -> None:
    if not key:
        return
    to_the_time(world, key)
    changes = await decided(world, key)
    armed = world.ringing.armed.pop(key, None)
    if changes is not None:
        world.ringing.carry_out(changes)
    elif armed is not None:
        armed.attempts += 1
        world.ringing.armed[key] = armed


async def killed_before_the_commit(world: World) -> None:
    """kill -9 after the handler decided, or after the message left: nothing is stored, and it is due again."""
    key = due(world)
    if key:
        to_the_time(world, key)
        await decided(world, key)
        world.ringing.armed[key].attempts = min(world.ringing.armed[key].attempts + 1, 2)


async def answered_while_it_was_decided(world: World) -> None:
    """A person's answer commits between a decision and its commit, which is then decided anew."""
    key = due(world)
    if not key:
        return
    to_the_time(world, key)
    changes = await decided(world, key)
    await acknowledged(world)
    if key not in world.ringing.armed:
        return  # disarmed by the answer: the commit finds its timer gone
    if changes is not None and not stale(world, changes):
        world.ringing.armed.pop(key)
        world.ringing.carry_out(changes)
    else:
        await _complete(world, key)


async def acknowledged(world: World) -> None:
    """Somebody who may reads back."""
    receiver = {"reference": "Practitioner/o-requester"}
    await _called(world, "acknowledge", receiver=receiver, patientCheck="0123", finding=FINDING, medium="phone")


async def acted(world: World) -> None:
    """What was done is on record."""
    await _called(world, "act", action={"text": "drain"})


async def _called(world: World, name: str, **values: Any) -> None:
    """As `ARinging.call`, without settling: what is armed by it waits."""
    ringing = world.ringing
    operation = next(one for one in SERVICE.operations if one.name == name)
    given = [
        {
            "name": key,
            ("valueReference" if "reference" in value else "valueCodeableConcept")
            if isinstance(value, dict)
            else "valueString": value,
        }
        for key, value in values.items()
    ]
    ringing.desk.caller = itself("his")
    target = ringing.desk.held[f"Task/{ringing.case['id']}"]
    try:
        changes = await operation.handler(
            Call({"resourceType": "Parameters", "parameter": given}, target), ringing.desk
        )
        ringing.carry_out(changes)
    except FhirError:
        pass  # it cannot be said in this state
    finally:
        ringing.desk.caller = itself("critical")


async def network_changes(world: World) -> None:
    """Providers that work go down, then refuse, then work again."""
    names = list(NETWORKS)
    world.network = names[(names.index(world.network) + 1) % len(names)]
    for host in ("requester.test", "duty.test"):
        world.ringing.receivers.answers[host] = NETWORKS[world.network]


HAPPENINGS: dict[str, Callable[[World], Awaitable[None]]] = {
    one.__name__: one
    for one in (fires, fires_late, killed_before_the_commit, answered_while_it_was_decided, acknowledged, acted, network_changes)
}  # fmt: skip

"""What arrives from a followed service is stored as copies, and its handlers decide what follows.

A copy is replaced only by a higher version, so snapshot and events may arrive in any order and more than once. What
follows is decided by the copy that it replaces; where another came between, it is decided again. What nobody here
waits for is stored many to a commit, so that a follower keeps up with a bulk import.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import structlog

from slipring.fhir.act import Act, decided, perform
from slipring.fhir.caller import DRAFT_READ, itself
from slipring.fhir.delivery import owing as debts
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError
from slipring.fhir.search.row import Rows
from slipring.fhir.service import Arrival, Changes, Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.batch import Version
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.text import encode

_LOG = structlog.get_logger("slipring.follow")
_LATER = (429, 503)  # the moment is at fault, not the arrival: its sender tries again
_AT_ONCE = 100  # copies in one commit


@dataclass(frozen=True, slots=True)
class Arrived:
    """One version of a followed resource, with its text as its keeper stored it."""

    resource: Resource
    text: str
    version: int
    deleted: bool = False

    @property
    def type(self) -> str:
        """The resource's type."""
        return str(self.resource["resourceType"])

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.type}/{self.resource['id']}"


async def take(kernel: Kernel, source: str, arrived: Iterable[Arrived]) -> None:
    """Store what came, in its order; done when this returns."""

    def awaited(each: Arrived) -> bool:
        return any(follows.awaits(source, each.resource) for follows in kernel.service.follows)

    for waited_for, some in groupby(arrived, key=awaited):
        several = list(some)
        if waited_for:
            await _in_order(kernel, source, several)
        else:
            for at in range(0, len(several), _AT_ONCE):
                await _only_stored(kernel, source, several[at : at + _AT_ONCE])


async def _in_order(kernel: Kernel, source: str, arrived: Sequence[Arrived]) -> None:
    """Commit together what nothing follows from, and whatever something follows from by itself.

    A group that something follows from has asked for more than it took: groups begin anew with one after it, and grow
    while nothing follows.
    """
    at, size = 0, _AT_ONCE
    while at < len(arrived):
        group = _different(arrived[at : at + size])
        taken = await _together(kernel, source, group) if len(group) > 1 else 0
        at += taken
        if taken == len(group):
            size = min(2 * size, _AT_ONCE)
            continue
        followed = await _with_what_follows(kernel, source, arrived[at])
        at += 1
        size = 1 if followed else 2


async def _together(kernel: Kernel, source: str, arrived: Sequence[Arrived]) -> int:
    """How many of these were stored in one commit; none where that fails: who is at fault is found one by one."""
    try:
        return await _without_consequence(kernel, source, arrived)
    except UNAVAILABLE:
        raise
    except Exception as error:
        if isinstance(error, FhirError) and error.status in _LATER:
            raise
        return 0


def _different(arrived: Sequence[Arrived]) -> Sequence[Arrived]:
    """Those before the first that comes again: of one resource each version is decided by itself."""
    seen: set[str] = set()
    for place, each in enumerate(arrived):
        if each.reference in seen:
            return arrived[:place]
        seen.add(each.reference)
    return arrived


async def _without_consequence(kernel: Kernel, source: str, arrived: Sequence[Arrived]) -> int:
    """Store the copies up to the first that something is written for, is owed for, or that fails; how many those are.

    Their handlers have decided, each as if it had come alone, and what they looked at stands when all is committed.
    What they only arm goes with them: of many that come at once, all wait in order of urgency before much has begun.
    """
    references = [each.reference for each in arrived]

    async def decide() -> tuple[Act, int]:
        act = _act(kernel)
        held, _ = await reading.looked(kernel.store.pool, references, [], limit=1)
        owing = await debts.owing(kernel, references)
        arrivals = [_arrival(source, each, held.get(each.reference)) for each in arrived]
        await act.desk.foresee(debts.ahead(kernel, arrivals))
        for place, (each, arrival) in enumerate(zip(arrived, arrivals, strict=True)):
            if each.reference in owing:
                return act, place
            standing = held.get(each.reference)
            if standing and not _replaces(each, standing.version, standing.source):
                continue
            act.desk.relied.saw(each.reference, standing.version if standing else 0)
            act.desk.put(Stored(each.resource, each.version, act.desk.now, source, each.deleted))
            following = await _following(kernel, arrival, act)
            if following is None or not following.only_arms:
                return act, place
            act.add(following)
            act.copies.append(_copy(kernel, source, each))
        return act, len(arrived)

    _, _, taken = await perform(kernel, decide)
    return taken


async def _following(kernel: Kernel, arrival: Arrival, act: Act) -> Changes | None:
    """What follows from it; None when its handlers fail."""
    try:
        return await debts.follow_from(kernel, arrival, act.desk)
    except UNAVAILABLE:
        raise
    except Exception:
        return None


def _arrival(source: str, arrived: Arrived, held: reading.Row | None) -> Arrival:
    before = held.stored() if held and not held.deleted else None
    return Arrival(source, arrived.resource, arrived.version, arrived.deleted, before)


async def _only_stored(kernel: Kernel, source: str, arrived: Sequence[Arrived]) -> None:
    """Store copies that no handler waits for, in one commit; of several versions of one resource the last."""
    newest: dict[str, Arrived] = {}
    for each in arrived:
        if each.reference not in newest or newest[each.reference].version < each.version:
            newest[each.reference] = each

    async def decide() -> tuple[Act, None]:
        act = _act(kernel)
        held = await reading.held(kernel.store.pool, list(newest))
        act.copies += [
            _copy(kernel, source, each)
            for reference, each in newest.items()
            if reference not in held or _replaces(each, *held[reference])
        ]
        return act, None

    await perform(kernel, decide)


async def _with_what_follows(kernel: Kernel, source: str, arrived: Arrived) -> bool:
    """Store the copy and what its handlers decide, in one commit; whether anything followed.

    An older version changes nothing. When the handlers fail, the copy is stored and what should follow from it is owed.
    """

    async def decide(*, owing: bool = False) -> tuple[Act, bool]:
        act = _act(kernel)
        desk = act.desk
        held = await reading.current(kernel.store.pool, arrived.type, arrived.resource["id"])
        if held and not _replaces(arrived, held.version, held.source):
            return act, False
        desk.relied.saw(arrived.reference, held.version if held else 0)
        desk.put(Stored(arrived.resource, arrived.version, desk.now, source, arrived.deleted))
        act.copies.append(_copy(kernel, source, arrived))
        known = held if held and not held.deleted else None
        debt = await debts.standing(kernel, arrived.reference)
        if owing:
            act.add(Changes(wake=[debts.owed(source, arrived.reference, known, debt)]))
            return act, True
        before = debts.dealt_with(debt, desk) if debt else known.stored() if known else None
        arrival = Arrival(source, arrived.resource, arrived.version, arrived.deleted, before)
        await desk.foresee(debts.ahead(kernel, [arrival]))
        changes = await decided(act, lambda: debts.follow_from(kernel, arrival, desk))
        if debt:
            desk.relied.armed.add(debts.key_of(arrived.reference))
            act.add(Changes(cancel=[debts.key_of(arrived.reference)]))
        return act, not changes.nothing

    try:
        _, _, followed = await perform(kernel, decide)
    except UNAVAILABLE:
        raise
    except Exception as error:
        if isinstance(error, FhirError) and error.status in _LATER:
            raise
        _LOG.warning("arrival owed", source=source, type=arrived.type, kind=type(error).__name__)
        await perform(kernel, partial(decide, owing=True))
        return True
    return followed


def _act(kernel: Kernel) -> Act:
    context = Context(itself(kernel.service.name))
    return Act(kernel, context, kernel.desk(context.caller))


def _replaces(arrived: Arrived, version: int, source: str) -> bool:
    """A copy gives way to a higher version; what is kept here to none."""
    return bool(source) and version < arrived.version


def _copy(kernel: Kernel, source: str, arrived: Arrived) -> Version:
    kind, tree = arrived.type, arrived.resource
    found = Rows() if arrived.deleted else kernel.rows(tree)
    first = any(f.unreleased and f.service == source and f.type == kind for f in kernel.service.follows)
    return Version(
        kind,
        tree["id"],
        arrived.version,
        "PUT",
        arrived.text or encode(tree),
        found,
        deleted=arrived.deleted,
        source=source,
        audience=(DRAFT_READ,) if first else None,
    )

"""One act, one commit: intents and what the handlers add to them become a batch, or a refusal on record.

The same road serves create, update, delete, transactions, operations, timers, errands and arrivals.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import asyncpg

from slipring.fhir.audience import audiences_of
from slipring.fhir.channel_headers import masked
from slipring.fhir.delivery.lane import lane_of
from slipring.fhir.desk import LiveDesk
from slipring.fhir.existence import refuse_dangling
from slipring.fhir.intent import Intent, Written, placed, stamped
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, busy, conflict
from slipring.fhir.referred import refuse_referred
from slipring.fhir.search.row import Rows
from slipring.fhir.service import Audience, Changes, Resource, Save, Stored, Wake, Write
from slipring.fhir.sight import demand_within, may_name
from slipring.fhir.step_up import demand_fresh
from slipring.fhir.store.batch import Audit, Batch, KeyTaken, Label, Stale, Taking, Version, taken_keys
from slipring.fhir.store.engine import OutcomeUnknown
from slipring.fhir.text import encode, splice, with_inner

T = TypeVar("T")
TRIES = 4
ARRIVAL = "arrival"  # a timer of the kernel's own: what followed from an arrival could not be decided yet
PAST = "/_history"  # behind a reference: the versions that stood before
_METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE"}
_TOLD = {"POST": "create", "PUT": "update", "DELETE": "delete"}


class Act:
    """Gathers intents and changes on one desk, then commits them.

    `copies` are followed versions and `audits` rows of the act itself that go into the same commit.
    """

    def __init__(self, kernel: Kernel, context: Context, desk: LiveDesk) -> None:
        self.kernel = kernel
        self.context = context
        self.desk = desk
        self.changes = Changes()
        self.copies: list[Version] = []
        self.audits: list[Audit] = []
        self._intents: dict[str, Intent] = {}
        self._saves: dict[str, Save] = {}
        self._audiences: Mapping[str, Audience] = {}

    def intend(self, intent: Intent) -> None:
        """Add a client's write; every handler of the act sees it."""
        if intent.method != "delete":
            demand_within(self.kernel, self.context, intent.tree, intent.method[0])
        owned = self.kernel.kept(intent.tree["resourceType"]).owned
        if owned and intent.method != "delete" and not self.context.imported:
            intent.give_back(owned)
        self._intents[intent.reference] = intent
        self._show(intent.amended(), intent.version, deleted=intent.method == "delete")

    async def handle(self) -> None:
        """Let the keepers' handlers decide on each intent."""
        for intent in list(self._intents.values()):
            keeps = self.kernel.kept(intent.tree["resourceType"])
            if keeps.on_write is None and not keeps.must_exist and keeps.step_up is None:
                continue
            try:
                if keeps.step_up and intent.method != "delete" and keeps.step_up(intent.tree):
                    demand_fresh(self.context.caller, self.kernel.now(), self.kernel.step_up_seconds)
                write = intent.write(imported=self.context.imported)
                if keeps.ahead:
                    await self.desk.foresee(keeps.ahead(write))
                if keeps.must_exist:
                    await refuse_dangling(keeps, write, self.desk)
                changes = await keeps.on_write(write, self.desk) if keeps.on_write else Changes.none()
            except FhirError as error:
                raise placed(error, intent.place) from error
            for name, items in changes.append.items():
                intent.append.setdefault(name, []).extend(items)
            intent.members.update(changes.members)
            self._show(intent.amended(), intent.version, deleted=intent.method == "delete")
            self.add(changes, intent.place)

    def add(self, changes: Changes, place: str = "") -> None:
        """Take what a handler decided; a refusal ends the act, with its own saves only on record."""
        if changes.refuse:
            self._intents.clear()
            self._saves.clear()
            self.changes = Changes()
        for save in changes.save:
            self._take(save)
        self.changes = self.changes.plus(changes)
        if changes.refuse:
            raise Refused(self, placed(changes.refuse, place))

    async def commit(self, *, within: asyncpg.Connection | None = None, taking: Taking | None = None) -> list[Written]:
        """Write everything at once."""
        if any(intent.method == "delete" for intent in self._intents.values()):
            written = [*self._intents, *self._saves]
            told = partial(may_name, self.kernel, self.context, self.desk.reader)
            await refuse_referred(self._intents.values(), written, self.kernel.referring, self.desk, told)
        self._audiences = await audiences_of(self.kernel, self.desk, self._writes, self._saves.values(), self.copies)
        self.batch = self._batch(taking)
        await self.kernel.store.commit(self.batch, within)
        return [Written(v.reference, v.version, v.text, v.method == "POST") for v in self.batch.versions]

    def _writes(self) -> list[Write]:
        """What the act's client writes, as its handlers left it."""
        imported = self.context.imported
        return [intent.write(imported=imported) for intent in self._intents.values()]

    def _take(self, save: Save) -> None:
        reference = f"{save.resource['resourceType']}/{save.resource['id']}"
        intent = self._intents.get(reference)
        if intent:  # the handler changes what the client is writing
            intent.become(save.resource)
            self._show(intent.amended(), intent.version, deleted=intent.method == "delete")
            return
        held = self._saves.get(reference)
        if held:  # saved twice in one act: one version, on top of the one first replaced
            save = Save(save.resource, held.replaces, save.delete)
        self._saves[reference] = save
        self._show(save.resource, (save.replaces or 0) + 1, deleted=save.delete)

    def _show(self, tree: Resource, version: int, *, deleted: bool) -> None:
        self.desk.put(Stored(tree, version, self.desk.now, deleted=deleted))

    def _batch(self, taking: Taking | None) -> Batch:
        at = self.desk.now
        batch = Batch(at, taking=taking, armed_at=at if self.kernel.fake_time else None)
        batch.looked_up = self.kernel.service.looked_up
        batch.keys = list(self.changes.keys)
        batch.cancel = list(self.changes.cancel)
        batch.wake = [(self._kind(wake), wake) for wake in _last_of_each_key(self.changes.wake)]
        for intent in self._intents.values():
            self._write_intent(batch, intent)
        for save in self._saves.values():
            self._write_save(batch, save)
        written = {v.reference for v in batch.versions}
        batch.labelled = self.kernel.service.audiences is not None
        named = self._audiences.items()
        batch.labels = [Label(one, to) for one, to in named if one not in written and not one.endswith(PAST)]
        batch.closed = [Label(one.removesuffix(PAST), to) for one, to in named if one.endswith(PAST)]
        batch.require = [r for r in self.changes.require if r.reference not in written]
        refused = self.changes.refuse
        batch.relied = None if refused else self.desk.relied
        outcome = refused.status if refused else 200
        for v in batch.versions:
            interaction = "refused" if refused else _TOLD[v.method]
            reference = f"{v.reference}/_history/{v.version}"
            batch.audits.append(self.context.audit(interaction, reference, outcome, stored_sha256=v.sha256))
        batch.audits += self.audits
        batch.versions += self.copies
        return batch

    def _write_intent(self, batch: Batch, intent: Intent) -> None:
        tree = stamped(intent.amended(), intent.version, batch.at)
        deleted = intent.method == "delete"
        received = intent.text
        subscription = tree["resourceType"] == "Subscription"
        if subscription and not deleted and tree["channel"].get("header"):  # its values are nobody's to read
            received = with_inner(received, ("channel", "header"), masked(tree["channel"]["header"]))
        text = (
            encode(tree)
            if deleted
            else splice(
                received,
                id=tree["id"],
                version=str(intent.version),
                last_updated=tree["meta"]["lastUpdated"],
                append=intent.append,
                members=intent.members,
                references=intent.references,
            )
        )
        batch.versions.append(self._version(tree, text, intent.version, _METHODS[intent.method], intent.before))
        if subscription:
            seal = self.kernel.secrets.encrypt
            batch.lanes.append(lane_of(tree, self.context.caller, seal, deleted=deleted))

    def _write_save(self, batch: Batch, save: Save) -> None:
        tree = stamped(save.resource, (save.replaces or 0) + 1, batch.at)
        method = "DELETE" if save.delete else "PUT" if save.replaces else "POST"
        batch.versions.append(self._version(tree, encode(tree), (save.replaces or 0) + 1, method, None))

    def _version(self, tree: Resource, text: str, number: int, method: str, before: Stored | None) -> Version:
        deleted = method == "DELETE"
        unique = () if deleted else self.kernel.kept(tree["resourceType"]).unique
        held = set(taken_keys(before.resource, unique)) if before and unique else set()
        return Version(
            tree["resourceType"],
            tree["id"],
            number,
            method,
            text,
            Rows() if deleted else self.kernel.rows(tree),
            [key for key in taken_keys(tree, unique) if key not in held],
            deleted,
            audience=self._audiences.get(f"{tree['resourceType']}/{tree['id']}"),
        )

    def _kind(self, wake: Wake) -> str:
        if wake.name == ARRIVAL:
            return ARRIVAL
        if wake.name in self.kernel.service.errands:
            return "errand"
        if wake.name in self.kernel.service.timers:
            return "timer"
        raise LookupError(f"{wake.name} is neither a timer nor an errand of {self.kernel.service.name}")


class Refused(Exception):
    """A handler refused the act; what it wants on record still has to be written."""

    def __init__(self, act: Act, error: FhirError) -> None:
        self.act = act
        self.error = error


async def perform(
    kernel: Kernel, decide: Callable[[], Awaitable[tuple[Act, T]]], *, taking: Taking | None = None
) -> tuple[Act, list[Written], T]:
    """Decide and commit; decide again on fresh state when something relied on has changed meanwhile.

    A refusal is answered once what it leaves behind is stored.
    """
    for tried in range(TRIES):
        async with _in_turn(kernel, tried):
            try:
                act, answer = await decide()
                return act, await act.commit(taking=taking), answer
            except Stale:
                continue
            except KeyTaken as taken:
                raise await already_taken(act, taken) from taken
            except Refused as refused:
                if await _on_record(refused):
                    raise refused.error from None
    raise too_quick()


async def perform_locked(
    kernel: Kernel,
    locks: list[str],
    decide: Callable[[asyncpg.Connection], Awaitable[tuple[Act, T]]],
    *,
    then: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
) -> tuple[Act, list[Written], T]:
    """Like `perform`, deciding and writing in one transaction that holds advisory locks.

    `then` looks at what was written before it is committed; when it raises, nothing is.

    `decide` reads through the connection it is given and nothing else: asking the pool for a second one while
    many wait for the same lock would starve it.
    """
    for tried in range(TRIES):
        async with _in_turn(kernel, tried):
            try:
                async with kernel.store.transaction(locks) as connection:
                    act, answer = await decide(connection)
                    written = await act.commit(within=connection)
                    if then is not None:
                        await then(connection)
            except Stale:  # outside the transaction, so that it is rolled back
                continue
            except KeyTaken as taken:
                raise await already_taken(act, taken) from taken
            except OutcomeUnknown:
                if not await kernel.store.stored(act.batch, locks):
                    continue
            except Refused as refused:
                if await _on_record(refused):
                    raise refused.error from None
                continue
            kernel.store.wake(act.batch)
            return act, written, answer
    raise too_quick()


async def _on_record(refused: Refused) -> bool:
    """Store what a refusal leaves behind; False when that has changed meanwhile and must be decided again."""
    try:
        await refused.act.commit()
    except (Stale, KeyTaken):
        return False
    return True


@asynccontextmanager
async def _in_turn(kernel: Kernel, tried: int) -> AsyncIterator[None]:
    """The first try is free; who was overtaken tries again in turn, so that those who collided do not collide again."""
    if tried == 0:
        yield
        return
    async with kernel.store.turn:
        yield


def too_quick() -> FhirError:
    """503 after several tries on a state that would not stand still."""
    return busy(
        "The resource changes too quickly right now; please try again.",
        "资源正被频繁修改，请稍后重试。",
        detail="kernel.changes-too-quickly",
    )


async def decided(act: Act, changes: Callable[[], Awaitable[Changes | None]]) -> Changes:
    """Run a handler and take what it decides."""
    result = await changes()
    if result is not None:
        act.add(result)
    return act.changes


async def already_taken(act: Act, taken: KeyTaken) -> FhirError:
    """409 with the holder's Location, if the caller may see it: a business identifier names one resource only."""
    kernel = act.kernel
    holder = await kernel.store.holder(taken.keys)
    if holder is None:  # nobody but this request itself
        return conflict(
            "One business identifier is given to two resources of this request.",
            "同一业务标识在本次请求中用于两个资源。",
            detail="kernel.identifier-given-twice",
        )
    if not await may_name(kernel, act.context, kernel.store.pool, holder):
        return conflict(
            "This business identifier already belongs to another resource.",
            "该业务标识已属于另一资源。",
            at=f"{holder.partition('/')[0]}.identifier",
            detail="kernel.identifier-taken",
        )
    return conflict(
        f"This business identifier already belongs to {holder}.",
        f"该业务标识已属于 {holder}。",
        at=f"{holder.partition('/')[0]}.identifier",
        headers={"Location": f"{kernel.base}/{holder}"},
        detail="kernel.identifier-taken",
    )


def _last_of_each_key(wakes: Sequence[Wake]) -> list[Wake]:
    """Arming a key again replaces the old deadline, within one act as well."""
    kept = {wake.key or f"\0{place}": wake for place, wake in enumerate(wakes)}
    return list(kept.values())

"""One act, one commit: intents and what the handlers add to them become a batch, or a refusal on record.

The same road serves create, update, delete, transactions, operations, timers, errands and arrivals.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from slipring.fhir.desk import LiveDesk
from slipring.fhir.delivery.lane import lane_of
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, busy, conflict
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.service import Changes, Keeps, Resource, Save, Stored, Wake, Write
from slipring.fhir.store.batch import Batch, KeyTaken, Stale, Taking, Version, taken_keys
from slipring.fhir.text import encode, splice

T = TypeVar("T")
_TRIES = 4
_METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE"}


@dataclass(slots=True)
class Intent:
    """What a client wants to do to one resource; `before` is the version it replaces."""

    method: Literal["create", "update", "delete"]
    tree: Resource  # with id and resolved references
    text: str  # as received
    before: Stored | None = None
    references: dict[str, str] = field(default_factory=dict)
    append: dict[str, list[Any]] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.tree['resourceType']}/{self.tree['id']}"

    @property
    def version(self) -> int:
        """The version this act will write."""
        return self.before.version + 1 if self.before else 1

    def amended(self) -> Resource:
        """The tree as it will be stored."""
        tree = {**self.tree, **{k: v for k, v in self.members.items() if v is not None}}
        for name in [name for name, value in self.members.items() if value is None]:
            tree.pop(name, None)
        for name, items in self.append.items():
            tree[name] = [*tree.get(name, []), *items]
        return tree


@dataclass(slots=True)
class Written:
    """One version that the act stored."""

    reference: str
    version: int
    text: str
    created: bool


class Act:
    """Gathers intents and changes on one desk, then commits them."""

    def __init__(self, kernel: Kernel, context: Context, desk: LiveDesk) -> None:
        self.kernel = kernel
        self.context = context
        self.desk = desk
        self.changes = Changes()
        self._intents: dict[str, Intent] = {}
        self._saves: dict[str, Save] = {}

    def intend(self, intent: Intent) -> None:
        """Add a client's write; every handler of the act sees it."""
        if intent.method != "delete":
            self._give_back_owned(intent)
        self._intents[intent.reference] = intent
        self._show(intent.amended(), intent.version, deleted=intent.method == "delete")

    async def handle(self) -> None:
        """Let the keepers' handlers decide on each intent."""
        for intent in list(self._intents.values()):
            keeps = self.kernel.kept(intent.tree["resourceType"])
            if keeps.on_write is None:
                continue
            write = Write(intent.method, intent.amended(), intent.before, self.context.imported)
            changes = await keeps.on_write(write, self.desk)
            for name, items in changes.append.items():
                intent.append.setdefault(name, []).extend(items)
            intent.members.update(changes.members)
            self._show(intent.amended(), intent.version, deleted=intent.method == "delete")
            self.add(changes)

    def add(self, changes: Changes) -> None:
        """Take what a handler decided; a refusal ends the act, with its own saves only on record."""
        if changes.refuse:
            self._intents.clear()
            self._saves.clear()
            self.changes = Changes()
        for save in changes.save:
            self._take(save)
        self.changes = self.changes.plus(changes)
        if changes.refuse:
            raise Refused(self, changes.refuse)

    async def commit(
        self, *, within: Any = None, taking: Taking | None = None, extra: list[Version] | None = None
    ) -> list[Written]:
        """Write everything at once."""
        batch = self._batch(taking)
        batch.versions += extra or []
        await self.kernel.store.commit(batch, within)
        self.batch = batch
        return [Written(v.reference, v.version, v.text, v.method == "POST") for v in batch.versions]

    def _take(self, save: Save) -> None:
        reference = f"{save.resource['resourceType']}/{save.resource['id']}"
        intent = self._intents.get(reference)
        if intent:  # the handler changes what the client is writing
            intent.members.update({k: v for k, v in save.resource.items() if v != intent.amended().get(k)})
            return
        held = self._saves.get(reference)
        if held:  # saved twice in one act: one version, on top of the one first replaced
            save = Save(save.resource, held.replaces, save.delete)
        self._saves[reference] = save
        self._show(save.resource, (save.replaces or 0) + 1, deleted=save.delete)

    def _show(self, tree: Resource, version: int, *, deleted: bool) -> None:
        self.desk.put(Stored(tree, version, self.desk.now, deleted=deleted))

    def _give_back_owned(self, intent: Intent) -> None:
        """Server-owned identifiers: a PUT without them gets them back, one that alters them is refused (422)."""
        owned = self.kernel.kept(intent.tree["resourceType"]).owned
        if not owned or self.context.imported:
            return
        standing = _owned(intent.before.resource, owned) if intent.before else []
        given = _owned(intent.tree, owned)
        if any(item not in standing for item in given):
            raise FhirError(422, _altered(intent.tree, owned))
        missing = [item for item in standing if item not in given]
        if missing:
            intent.append.setdefault("identifier", []).extend(missing)

    def _batch(self, taking: Taking | None) -> Batch:
        at = self.desk.now
        batch = Batch(at, taking=taking, armed_at=at if self.kernel.fake_time else None)
        batch.keys = list(self.changes.keys)
        batch.cancel = list(self.changes.cancel)
        batch.wake = [(self._kind(wake), wake) for wake in self.changes.wake]
        for intent in self._intents.values():
            self._write_intent(batch, intent)
        for save in self._saves.values():
            self._write_save(batch, save)
        written = {v.reference for v in batch.versions}
        batch.require = [r for r in self.changes.require if r.reference not in written]
        refused = self.changes.refuse
        outcome = refused.status if refused else 200
        for v in batch.versions:
            interaction = "refused" if refused else {"POST": "create", "PUT": "update"}.get(v.method, "delete")
            batch.audits.append(self.context.audit(interaction, f"{v.reference}/_history/{v.version}", outcome))
        return batch

    def _write_intent(self, batch: Batch, intent: Intent) -> None:
        tree = _stamped(intent.amended(), intent.version, batch.at)
        deleted = intent.method == "delete"
        keeps = self.kernel.kept(tree["resourceType"])
        text = (
            encode(tree)
            if deleted
            else splice(
                intent.text,
                id=tree["id"],
                version=str(intent.version),
                last_updated=tree["meta"]["lastUpdated"],
                append=intent.append,
                members=intent.members,
                references=intent.references,
            )
        )
        batch.versions.append(self._version(tree, text, keeps, intent.before, _METHODS[intent.method], deleted=deleted))
        if tree["resourceType"] == "Subscription":
            batch.lanes.append(lane_of(tree, deleted=deleted))

    def _write_save(self, batch: Batch, save: Save) -> None:
        tree = _stamped(save.resource, (save.replaces or 0) + 1, batch.at)
        keeps = self.kernel.kept(tree["resourceType"])
        method = "DELETE" if save.delete else "PUT" if save.replaces else "POST"
        before = Stored(save.resource, save.replaces, batch.at) if save.replaces else None
        batch.versions.append(self._version(tree, encode(tree), keeps, before, method, deleted=save.delete))

    def _version(
        self, tree: Resource, text: str, keeps: Keeps, before: Stored | None, method: str, *, deleted: bool
    ) -> Version:
        keys = [] if deleted else taken_keys(tree, keeps.unique)
        if before:
            held = set(taken_keys(before.resource, keeps.unique))
            keys = [key for key in keys if key not in held]
        return Version(
            tree["resourceType"],
            tree["id"],
            before.version + 1 if before else 1,
            method,
            text,
            Rows() if deleted else rows(tree, self.kernel.zone),
            keys,
            deleted,
        )

    def _kind(self, wake: Wake) -> str:
        if wake.name in self.kernel.service.errands:
            return "errand"
        if wake.name in self.kernel.service.timers:
            return "timer"
        raise LookupError(f"{wake.name} is neither a timer nor an errand of {self.kernel.service.name}")


class Refused(Exception):
    """A handler refused the act; what it wants on record still has to be written (`on_record`)."""

    def __init__(self, act: Act, error: FhirError) -> None:
        self.act = act
        self.error = error


@asynccontextmanager
async def on_record() -> AsyncIterator[None]:
    """Store what a refusal leaves behind, outside any transaction of the refused act, then answer with it."""
    try:
        yield
    except Refused as refused:
        await refused.act.commit()
        raise refused.error from None


async def perform(kernel: Kernel, decide: Callable[[], Awaitable[tuple[Act, T]]], **options: Any) -> tuple[Act, list[Written], T]:
    """Decide and commit; decide again on fresh state when something relied on has changed meanwhile."""
    for _ in range(_TRIES):
        act: Act | None = None
        try:
            act, answer = await decide()
            return act, await act.commit(**options), answer
        except Stale:
            if options.get("within") is not None:
                raise  # the caller's transaction is spent; it begins again
        except KeyTaken as taken:
            raise already_taken(kernel, taken) from taken
    raise busy("The resource changes too quickly right now; please try again.", "资源正被频繁修改，请稍后重试。")


async def decided(act: Act, changes: Callable[[], Awaitable[Changes | None]]) -> Changes:
    """Run a handler and take what it decides."""
    result = await changes()
    if result is not None:
        act.add(result)
    return act.changes


def already_taken(kernel: Kernel, taken: KeyTaken) -> FhirError:
    """409 with the holder's Location: a business identifier names one resource only."""
    return conflict(
        f"This business identifier already belongs to {taken.holder}.",
        f"该业务标识已属于 {taken.holder}。",
        at=f"{taken.holder.partition('/')[0]}.identifier",
        headers={"Location": f"{kernel.base}/{taken.holder}"},
    )


def _stamped(tree: Resource, version: int, at: datetime) -> Resource:
    meta = {**tree.get("meta", {}), "versionId": str(version), "lastUpdated": written_instant(at)}
    return {**tree, "meta": meta}


def written_instant(at: datetime) -> str:
    """An instant with milliseconds in UTC, as `meta.lastUpdated` shows it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _owned(tree: Resource, codes: tuple[str, ...]) -> list[Any]:
    return [
        identifier
        for identifier in tree.get("identifier", [])
        if any(coding.get("code") in codes for coding in identifier.get("type", {}).get("coding", []))
    ]


def _altered(tree: Resource, codes: tuple[str, ...]) -> list[Issue]:
    names = ", ".join(codes)
    return [
        Issue(
            "business-rule",
            zh=f"标识（{names}）由本系统分配，不可由客户端填写或更改。",
            en=f"Identifiers of type {names} are given by this system; leave them out or send them back unchanged.",
            at=f"{tree['resourceType']}.identifier",
        )
    ]

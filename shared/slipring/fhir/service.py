"""What a service author writes: a `Service` declares, handlers read from a `Desk` and return `Changes`.

A handler never writes. The kernel stores what `Changes` says in one commit: versions, search rows,
business keys, audit rows, outbox events and timers, after it has checked what the decision relied on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.rules.finding import Limit

if TYPE_CHECKING:  # rules, facts and signing read this module and must stay free of the network
    import httpx

    from slipring.fhir.beside import Beside, Inside, Seen
    from slipring.fhir.profiles import Profile
    from slipring.fhir.terminology import CodeSystem, ValueSet
    from slipring.fhir.topics import Topic
    from slipring.qc.indicators.asked import Counting
    from slipring.qc.indicators.row import Counted

# A decimal-exact JSON tree: objects are dicts, arrays lists, numbers int or Decimal.
Resource = dict[str, Any]
CANONICAL = "https://slipring.example/fhir"


# --- values -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored version as the desk reads it; `source` names the keeper when it is a followed copy."""

    resource: Resource
    version: int
    updated_at: datetime
    source: str = ""  # "" = kept here; "order" = a copy that follows order
    deleted: bool = False
    audience: tuple[str, ...] | None = None  # whom it is shown to before everybody; None = everybody

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A version that stood at a moment, the SHA-256 of its text, and whether that is no longer what the trail says was written."""

    stored: Stored
    sha256: str
    altered: bool = False

    @property
    def line(self) -> str:
        """As a verdict names what it rests on: `Type/id/_history/version sha256`."""
        return f"{self.stored.reference}/_history/{self.stored.version} {self.sha256}"


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that is not as the trail says it was written: its kind (of the audit's findings), what it is about, how."""

    kind: str
    about: str  # Type/id, or Type/id/_history/n
    differs: str = ""


@dataclass(frozen=True, slots=True)
class Wholeness:
    """The versions that the trail says were written in a time: how many, a digest of their texts, and what is not so."""

    versions: int
    digest: str
    strays: Sequence[Stray]


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account by which a person (`Practitioner/...`) can sign in, and since when it has been open."""

    practitioner: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Save:
    """One resource to store: a new one (`replaces` None) or the successor of the version named.

    `resource` carries its id: take one from `desk.new_id()`. `delete` hides it (versions stay).
    """

    resource: Resource
    replaces: int | None = None
    delete: bool = False


def successor(stored: Stored, **members: Any) -> Save:
    """The next version of a stored resource with some top-level members changed (None removes one)."""
    resource = {**stored.resource, **members}
    return Save({name: value for name, value in resource.items() if value is not None}, replaces=stored.version)


@dataclass(frozen=True, slots=True)
class Require:
    """What a decision relied on: this reference still stands at this version when the commit happens."""

    reference: str
    version: int


@dataclass(frozen=True, slots=True)
class Wake:
    """A durable timer (`name` in `Service.timers`) or outward errand (`name` in `Service.errands`).

    It is armed by the database's clock, `after` from the commit. `key` makes it findable for `cancel`;
    arming the same key again replaces the old deadline.
    """

    name: str
    subject: str  # reference of the resource it is about, "Task/k-..."
    after: timedelta = timedelta(0)
    key: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)  # small JSON values, no patient data
    urgency: int = 0  # of all that is due, the lowest goes first: after an outage, or when more comes than can be sent


@dataclass(frozen=True, slots=True)
class Changes:
    """All that one act writes, and all it relied on. Nothing else reaches the database.

    `amend` adds to the resource that the client is writing: `append` puts items at the end of a list member,
    `members` sets a whole top-level member; all other characters of the received text stay as they were.
    `refuse`: store the rest (a DetectedIssue, say), then answer the act itself with this error; the written
    resource is not stored.
    """

    save: Sequence[Save] = ()
    append: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    require: Sequence[Require] = ()
    keys: Sequence[str] = ()  # business keys taken for good, e.g. "case:<exam>+<finding>"; UNIQUE in the service
    wake: Sequence[Wake] = ()
    cancel: Sequence[str] = ()  # keys of timers to disarm
    answer: Resource | None = None  # an operation's result
    status: int = 200  # HTTP status of an operation's answer
    refuse: FhirError | None = None
    # Of an errand: what is stored instead when it was disarmed while under way, decided on what stands then. It has gone out.
    if_disarmed: Callable[[Desk], Awaitable[Changes]] | None = None
    disclosed: Sequence[str] = ()  # records that an answer shows and nobody asked for by name: the trail lists them

    @staticmethod
    def none() -> Changes:
        """Nothing more to write."""
        return Changes()

    @property
    def nothing(self) -> bool:
        """Whether nothing is written, taken, armed, answered or refused."""
        said = (self.save, self.append, self.members, self.require, self.keys, self.wake, self.cancel)
        return not any(said) and self.answer is None and self.refuse is None

    @property
    def only_arms(self) -> bool:
        """Whether nothing but timers and errands follows, if anything."""
        return replace(self, wake=()).nothing

    def plus(self, other: Changes) -> Changes:
        """Both together; later answers win."""
        return replace(
            self,
            save=[*self.save, *other.save],
            append={
                name: [*self.append.get(name, ()), *other.append.get(name, ())]
                for name in {**self.append, **other.append}
            },
            members={**self.members, **other.members},
            require=[*self.require, *other.require],
            keys=[*self.keys, *other.keys],
            wake=[*self.wake, *other.wake],
            cancel=[*self.cancel, *other.cancel],
            answer=other.answer if other.answer is not None else self.answer,
            status=other.status if other.answer is not None else self.status,
            refuse=other.refuse or self.refuse,
            disclosed=[*self.disclosed, *other.disclosed],
        )


class Seals(Protocol):
    """The service's own key: it says what the service vouches for, where a person's signature says who did."""

    def seal(self, payload: bytes, kind: str) -> str:
        """A detached JWS over these bytes, now (`slipring.signing.seal`)."""

    async def faults(self, seal: str, payload: bytes, kind: str) -> Sequence[str]:
        """Why a seal does not stand over these bytes by the keys this service published, as codes; none when it does."""

    async def keys(self) -> Sequence[dict[str, Any]]:
        """The public keys that this service ever published, oldest first, as members of a JWK Set."""


class Vault(Protocol):
    """Keeps what a client entrusts to a service (an address with its key, a secret): stored text that only we can read."""

    def locked(self, text: str) -> str:
        """The text as it may lie in a resource."""

    def opened(self, text: str) -> str:
        """Back from `locked`; raises ValueError when another key locked it."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who was shown a resource: a client, and the person it acted for (`Practitioner/...`, '' for the client itself)."""

    client: str
    practitioner: str = ""


class Desk(Protocol):
    """What a handler may see: the time, the caller, and a read-only store (own resources and followed copies).

    Inside a transaction it also sees what the same transaction is about to write.
    """

    now: datetime  # aware, UTC
    caller: Caller
    settings: Any  # the service's own typed settings
    seals: Seals
    vault: Vault
    counting: Counting  # what indicators count; nothing of it is relied on

    async def foresee(self, ahead: Ahead) -> None:
        """Look at once at what is going to be read and searched; it changes the cost of a decision, never what it is."""

    async def read(self, reference: str) -> Stored | None:
        """The current version of `Type/id`, own or followed; None when absent or deleted."""

    async def read_version(self, reference: str, version: int) -> Stored | None:
        """One earlier version of a resource kept here."""

    async def search(self, query: str) -> list[Stored]:
        """All current matches of a FHIR search such as `Task?focus=ServiceRequest/o-1&status=requested`."""

    def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """All matches kept here as they stood at a moment, however many; nothing of it is relied on at a commit."""

    async def whole(self, since: datetime, until: datetime) -> Wholeness:
        """Whether what was written here from `since` to `until` lies as the trail says; nothing of it is relied on."""

    async def receivers(self, reference: str, since: datetime) -> list[Receiver]:
        """Who has read, found or been sent a resource kept here since then, as the trail and the deliveries say."""

    async def open_accounts(self, at: datetime) -> Sequence[OpenAccount]:
        """The accounts of the house that were open at a moment; nothing of it is relied on."""

    async def searches(self, queries: Sequence[str]) -> list[list[Stored]]:
        """The matches of several searches, asked of the store at once: cheaper than one after the other."""

    def new_id(self) -> str:
        """A fresh id with the service's letter, e.g. `o-0192...`."""

    async def next_value(self, sequence: str) -> int:
        """The next number of a database sequence; never handed out twice."""

    async def as_of(self, service: str) -> datetime | None:
        """Up to when the copies that follow this service are complete; None before the first fill."""


# --- what a handler is told ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """A client wants to create, update or delete a resource of a kept type (already valid and authorised)."""

    method: Literal["create", "update", "delete"]
    resource: Resource  # with its id; on delete, what stood
    before: Stored | None = None
    imported: bool = False  # under the import scope: history, not work to be done

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A followed resource arrived (an event or the snapshot fill); it may arrive more than once."""

    source: str
    resource: Resource
    version: int
    deleted: bool = False
    before: Stored | None = None  # the copy held so far

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Call:
    """An operation was invoked; `parameters` is the Parameters resource (an empty one for a bare POST)."""

    parameters: Resource
    target: Stored | None = None  # the instance for instance-level operations

    def value(self, name: str) -> Any:
        """The value[x] or resource of the first parameter with this name, or None."""
        return next(iter(self.values(name)), None)

    def values(self, name: str) -> list[Any]:
        """All values of a repeating parameter; choice-typed `valueX` members and `resource` alike."""
        found = []
        for parameter in self.parameters.get("parameter", []):
            if parameter.get("name") == name:
                member = next((m for m in parameter if m == "resource" or re.match(r"value[A-Z]", m)), None)
                if member:
                    found.append(parameter[member])
        return found

    def at(self, name: str) -> str:
        """FHIRPath of a parameter, for error messages."""
        for position, parameter in enumerate(self.parameters.get("parameter", [])):
            if parameter.get("name") == name:
                return f"Parameters.parameter[{position}]"
        return f"Parameters.parameter.where(name='{name}')"


@dataclass(frozen=True, slots=True)
class Due:
    """A timer fired."""

    name: str
    subject: str
    key: str
    due_at: datetime
    payload: Mapping[str, Any]


def _certainly() -> bool:
    """Where nobody else could have taken it."""
    return True


async def _still() -> bool:
    """Where nobody could have disarmed it."""
    return True


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to send outside. `attempt_id` is the same on every repeat; `repeat` says it may have gone out before."""

    name: str
    subject: str
    key: str
    attempt_id: str
    repeat: bool
    attempts: int  # 1 on the first try
    payload: Mapping[str, Any]
    # Whether the claim on it cannot have run out: a worker that stood still asks just before it sends.
    held: Callable[[], bool] = field(default=_certainly, compare=False)
    # Whether it is still wanted: whoever disarmed it meanwhile did so for good. Asked of the database, just before it sends.
    stands: Callable[[], Awaitable[bool]] = field(default=_still, compare=False)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a handler is going to look at, as far as the write itself tells: fetched by one statement.

    It is a foresight, no more: what the handler then reads and searches is what its decision relies on.
    """

    references: Sequence[str] = ()
    queries: Sequence[str] = ()


Audience = tuple[str, ...] | None  # scopes and people (`Practitioner/o-1`) that are shown it; None = everybody
# For whom what an act writes is, and what else is from now on for others: by reference; what it leaves out, is for
# everybody if it was written, and for whom it was if not. Copies that arrived are among the writes. `Type/id/_history`:
# for whom are from now on the versions that stood before, too (what was never to be seen at all).
AudienceRule = Callable[[Sequence[Write], "Desk"], Awaitable[Mapping[str, Audience]]]
WriteHandler = Callable[[Write, Desk], Awaitable[Changes]]
ArrivalHandler = Callable[[Arrival, Desk], Awaitable[Changes]]
OperationHandler = Callable[[Call, Desk], Awaitable[Changes]]
TimerHandler = Callable[[Due, Desk], Awaitable[Changes]]
ErrandHandler = Callable[[Errand, Desk, "httpx.AsyncClient"], Awaitable[Changes]]


# --- the declaration ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UniqueIdentifier:
    """An identifier that no two resources of the type may share.

    `type_code` is the v2-0203 identifier type (PLAC, FILL, ACSN); `system` restricts it to one system.
    """

    type_code: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Keeps:
    """A resource type this service keeps.

    Every standard R4 search parameter that we ship for the type is searchable; CapabilityStatement, parser and
    docs follow from this line. `owned`: identifier type codes that only the service writes (a PUT without them
    gets them back, one that alters them is refused). `record`: of the retention table, DELETE is refused.
    `if_match`: an update must name the version it was made from, because two people may be writing.
    `must_exist`: reference elements whose target must be here, because a rule relies on it; imported history is exempt.
    `step_up`: whether what is written asks the person for a fresh sign-in (an override). `ahead`: what `on_write` will look at.
    """

    type: str
    on_write: WriteHandler | None = None
    ahead: Callable[[Write], Ahead] | None = None
    unique: tuple[UniqueIdentifier, ...] = ()
    owned: tuple[str, ...] = ()
    record: bool = False
    if_match: bool = False
    must_exist: tuple[str, ...] = ()
    step_up: Callable[[Resource], bool] | None = None


@dataclass(frozen=True, slots=True)
class Follows:
    """Copies of another service's resources, kept current by its outbox. `criteria`: `Type` or `Type?search`.

    `unreleased`: their keeper shows some of them to its department first, so chains through the copies are the department's.
    `ahead`: what `then` will look at.
    `concerning`: which of them `then` waits for; the others are stored many at once. Absent: all.
    """

    service: str
    criteria: str
    then: ArrivalHandler | None = None
    ahead: Callable[[Arrival], Ahead] | None = None
    unreleased: bool = False
    concerning: Callable[[Resource], bool] | None = None

    @property
    def type(self) -> str:
        """The followed resource type."""
        return self.criteria.partition("?")[0]

    def awaits(self, source: str, resource: Resource) -> bool:
        """Whether `then` is to be called for what arrives from a service."""
        mine = self.then is not None and self.service == source and self.type == resource["resourceType"]
        return mine and (self.concerning is None or self.concerning(resource))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, as its OperationDefinition lists it."""

    name: str
    type: str  # FHIR type: code, string, Reference, CodeableConcept, Bundle, ...
    use: Literal["in", "out"] = "in"
    min: int = 0
    max: str = "1"
    documentation: str = ""
    parts: tuple[Parameter, ...] = ()


_PLAIN = frozenset({"code", "date", "dateTime", "boolean", "integer", "canonical", "Reference"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A FHIR operation, e.g. `Operation("Task", "decide", decided, level="instance", title=..., parameters=...)`."""

    type: str
    name: str  # without the dollar sign
    handler: OperationHandler
    level: Literal["type", "instance"] = "instance"
    title: str = ""
    affects_state: bool = True  # False: nothing is stored; scope r is enough, and GET asks it too where it is `plain`
    creates: bool = False  # True: it only ever makes new resources of its type, so that scope c is enough
    parameters: tuple[Parameter, ...] = ()
    step_up: bool | Callable[[Resource], bool] = False  # the person signs in afresh: always, or for such parameters
    tells: tuple[str, ...] = ()  # types of which the answer tells more than the caller named: he must reach them whole

    @property
    def plain(self) -> bool:
        """Whether GET calls it too: it stores nothing, and each parameter is one value that may stand in an address.

        FHIR R4, operations.html#executing. Free text and keys may not: addresses lie in the logs of whatever is between.
        """
        return (
            not self.affects_state
            and not self.step_up
            and all(one.type in _PLAIN and not one.parts for one in self.parameters if one.use == "in")
        )


def _nothing(now: datetime, approved: Sequence[Stored]) -> Sequence[Limit]:
    """A service without numbers of its own has none to confirm."""
    return ()


def _alone(inside: Inside) -> Sequence[Beside]:
    """A service that speaks FHIR over HTTP and nothing else."""
    return ()


def _uncounted(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """A service that feeds no indicator."""
    return ()


def _unseen(data_dir: Path) -> Sequence[Seen]:
    """Nothing of its own lies on the machine."""
    return ()


@dataclass(frozen=True, slots=True)
class Service:
    """The whole service on one page."""

    name: str  # order | consent | report | critical
    letter: str  # the id prefix: o, c, r, k
    title: str
    keeps: Sequence[Keeps]
    follows: Sequence[Follows] = ()
    operations: Sequence[Operation] = ()
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    errands: Mapping[str, ErrandHandler] = field(default_factory=dict)
    # Types, kept or followed, that decisions look up far more often than anybody writes them: decisions share their locks,
    # and do not wait for each other; a write takes them alone (decision 0028).
    looked_up: frozenset[str] = frozenset()
    audiences: AudienceRule | None = None  # None: whatever is kept here is for everybody who may read it
    sequences: Sequence[str] = ()  # database sequences for desk.next_value
    alarms: Mapping[str, str] = field(
        default_factory=dict
    )  # name in /health/engine -> search whose matches are counted
    deadlines: Mapping[str, str] = field(
        default_factory=dict
    )  # name in /metrics -> search each match of which must have a timer armed
    repairs: Mapping[str, str] = field(
        default_factory=dict
    )  # name in `deadlines` -> timer that is armed at once for a match without one: it puts the match right
    code_systems: Sequence[CodeSystem] = ()  # the vocabulary this service defines or uses
    value_sets: Sequence[ValueSet] = ()  # beside those that hold all codes of a code system
    profiles: Sequence[Profile] = ()  # what its resources look like, and its extensions
    topics: Sequence[Topic] = ()  # what others may subscribe to, beside plain criteria
    settings: Callable[[], Any] = dict  # reads the service's own settings from the environment
    beside: Callable[[Inside], Sequence[Beside]] = _alone  # what runs beside its HTTP addresses
    seen: Callable[[Path], Sequence[Seen]] = _unseen  # what the doctor looks at for it, by the data directory
    # Numbers in force that nobody has confirmed, by the sets (PlanDefinition) that two of the department stand for.
    unconfirmed: Callable[[datetime, Sequence[Stored]], Sequence[Limit]] = _nothing
    # What indicators count of a resource, kept or followed, by itself alone: written in the commit that writes it.
    # `counts_form` is raised whenever the same resource gives other rows: all are then written anew at the start.
    counts: Callable[[Resource, tzinfo], Sequence[Counted]] = _uncounted
    counts_form: str = ""
    ships: Sequence[Resource] = ()  # definitions that stand in the store from the start on, by ids of their own

    def keeper_of(self, resource_type: str) -> Keeps | None:
        """The declaration for a kept type, or None."""
        return next((keeps for keeps in self.keeps if keeps.type == resource_type), None)

"""What one commit writes, as values: versions with their search rows, audit rows, timers, requirements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipring.fhir.search.index import Rows
from slipring.fhir.service import Require, Wake
from slipring.fhir.store.relied import Relied

_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


class Stale(Exception):
    """Something the decision relied on changed before the commit; the handler must look again."""


class Overtaken(Exception):
    """The timer that the batch completes is another's by now: looking again is no use."""


class KeyTaken(Exception):
    """One of these business keys is held by another resource; who holds it is asked once the commit is undone."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys


@dataclass(frozen=True, slots=True)
class Version:
    """One version to store with the text that will be served."""

    type: str
    id: str
    version: int
    method: str  # POST, PUT, DELETE
    text: str
    rows: Rows
    keys: Sequence[str] = ()  # business keys of its identifiers, new with this version
    deleted: bool = False
    source: str = ""
    audience: tuple[str, ...] | None = None  # None: for everybody

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return f"{self.type}/{self.id}"

    @property
    def sha256(self) -> str:
        """Of the text as it is stored."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Label:
    """For whom a resource is from this commit on, though it gets no new version.

    Released, a resource is so in its current version too; taken back, it stays readable in the versions all had.
    """

    reference: str
    audience: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit row; `resource` is what was touched, `disclosed` what a search gave out."""

    client: str
    practitioner: str
    interaction: str
    resource: str
    request_id: str
    outcome: int
    body_sha256: str = ""
    disclosed: Sequence[str] = ()
    parameters: Sequence[str] = ()
    stored_sha256: str = ""  # of the version it tells of, as stored; bound by the seal, not by the row's own hash
    purpose: str = ""

    def content_sha256(self, at: datetime) -> str:
        """The row's own hash, over its members in this order as compact JSON; a purpose only when there is one."""
        members = [
            at.isoformat(timespec="microseconds"),
            self.client,
            self.practitioner,
            self.interaction,
            self.resource,
            list(self.disclosed),
            list(self.parameters),
            self.body_sha256,
            self.request_id,
            self.outcome,
        ]
        if self.purpose:
            members.append(self.purpose)
        return hashlib.sha256(_COMPACT(members).encode()).hexdigest()

    def around_version(self, at: datetime) -> tuple[str, str]:
        """The same members before and after a version number that `resource` still lacks: only reading finds it."""
        members = [
            at.isoformat(timespec="microseconds"),
            self.client,
            self.practitioner,
            self.interaction,
            self.resource,
        ]
        head, tail = _COMPACT(members), _COMPACT([self.body_sha256, self.request_id, self.outcome])
        return head[:-2], f'",[],[],{tail[1:]}'


@dataclass(frozen=True, slots=True)
class Taking:
    """The timer or errand this commit completes, under the worker's fencing token."""

    id: int
    fence: int


@dataclass(frozen=True, slots=True)
class Lane:
    """The delivery lane of an outside Subscription, written with the Subscription itself.

    `status` is what the client asks for; `content` is "" for a plain rest-hook, which needs no handshake.
    """

    id: str
    criteria: str
    endpoint: str
    payload: str
    headers: Sequence[str]
    status: str
    topic: str = ""
    filters: Sequence[str] = ()  # `Type?search`, all of them must hold
    content: str = ""  # empty, id-only, full-resource
    max_count: int = 1
    heartbeat_seconds: int = 0
    timeout_seconds: int = 0
    ends_at: datetime | None = None
    client: str = ""
    practitioner: str = ""
    scopes: Sequence[str] = ()
    patient: str = ""


@dataclass(slots=True)
class Batch:
    """Everything one commit writes and everything it relied on."""

    at: datetime
    versions: list[Version] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    require: list[Require] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    wake: list[tuple[str, Wake]] = field(default_factory=list)  # (kind, wake)
    cancel: list[str] = field(default_factory=list)
    taking: Taking | None = None
    lanes: list[Lane] = field(default_factory=list)
    labelled: bool = False  # whether this service keeps anything for an audience: then every version says for whom
    labels: list[Label] = field(default_factory=list)
    closed: list[Label] = field(default_factory=list)  # for whom the versions before are from now on, too
    relied: Relied | None = None  # what its handlers looked at
    looked_up: frozenset[str] = frozenset()  # types of this service whose locks decisions share, and writes do not
    armed_at: datetime | None = None  # a fake clock's time; None = the database's clock

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write and nothing to check."""
        return not (
            self.versions
            or self.audits
            or self.require
            or self.wake
            or self.cancel
            or self.labels
            or self.closed
            or self.taking
        )

    @property
    def fresh(self) -> bool:
        """Whether it makes new resources and relied on nothing: such batches of several requests share a commit."""
        return bool(self.versions) and not (
            self.require
            or self.relied
            or self.cancel
            or self.lanes
            or self.labels
            or self.closed
            or self.taking
            or any(v.audience for v in self.versions)
            or any(v.version != 1 or v.method != "POST" or v.source for v in self.versions)
            or any(audit.disclosed or audit.parameters for audit in self.audits)
        )

    @property
    def plain(self) -> bool:
        """Whether one statement is enough: a single version that relied on nothing else."""
        return (
            len(self.versions) == 1
            and not (
                self.require or self.relied or self.cancel or self.lanes or self.labels or self.closed or self.taking
            )
            and not self.versions[0].source
            and (self.versions[0].version == 1 or not (self.versions[0].keys or self.keys))
        )


def taken_keys(tree: dict[str, Any], unique: Sequence[Any]) -> list[str]:
    """The business keys of a resource's identifiers: `identifier:<Type>|<type code>|<system>|<value>`."""
    keys = []
    for identifier in tree.get("identifier", []) if isinstance(tree.get("identifier"), list) else []:
        codes = {coding.get("code") for coding in identifier.get("type", {}).get("coding", [])}
        for rule in unique:
            by_code = rule.type_code and rule.type_code in codes
            by_system = rule.system and rule.system == identifier.get("system")
            if (by_code or by_system) and identifier.get("value"):
                label = rule.type_code or "system"
                keys.append(
                    f"identifier:{tree['resourceType']}|{label}|{identifier.get('system', '')}|{identifier['value']}"
                )
    return list(dict.fromkeys(keys))


def array_text(words: Sequence[str] | None) -> str | None:
    """A text array as PostgreSQL writes it, for an array of arrays of different length."""
    if words is None:
        return None
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "{" + ",".join(f'"{word}"' for word in escaped) + "}"

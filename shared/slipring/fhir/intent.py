"""What a client wants to do to one resource, on its way to becoming a version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Resource, Stored, Write


@dataclass(slots=True)
class Intent:
    """One write as received; `before` is the version it replaces, also when that one says "deleted"."""

    method: Literal["create", "update", "delete"]
    tree: Resource  # with id and resolved references
    text: str  # as received
    before: Stored | None = None
    references: dict[str, str] = field(default_factory=dict)
    place: str = ""  # where it stands in a Bundle
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

    def write(self, *, imported: bool) -> Write:
        """What the keeper's handler is told: to it, a resource that was deleted begins anew."""
        before = self.before if self.before and not self.before.deleted else None
        return Write(self.method, self.amended(), before, imported)

    def amended(self) -> Resource:
        """The tree as it will be stored."""
        if not self.members and not self.append:
            return self.tree
        tree = {**self.tree, **{k: v for k, v in self.members.items() if v is not None}}
        for name in [name for name, value in self.members.items() if value is None]:
            tree.pop(name, None)
        for name, items in self.append.items():
            tree[name] = [*tree.get(name, []), *items]
        return tree

    def become(self, resource: Resource) -> None:
        """Take over what a handler saved under the same reference: changed members, and those it left out."""
        standing = self.amended()
        changed = {name: value for name, value in resource.items() if value != standing.get(name)}
        for name, value in {**changed, **dict.fromkeys(set(standing) - set(resource) - {"meta"})}.items():
            self.append.pop(name, None)
            self.members[name] = value

    def give_back(self, codes: tuple[str, ...]) -> None:
        """Server-owned identifiers: a PUT without them gets them back, one that alters them is refused (422)."""
        standing = _owned(self.before.resource, codes) if self.before else []
        given = _owned(self.tree, codes)
        if any(item not in standing for item in given):
            raise FhirError(422, _altered(self.tree, codes))
        missing = [item for item in standing if item not in given]
        if missing:
            self.append.setdefault("identifier", []).extend(missing)


@dataclass(slots=True)
class Written:
    """One version that an act stored."""

    reference: str
    version: int
    text: str
    created: bool


def stamped(tree: Resource, version: int, at: datetime) -> Resource:
    """The tree with its version and time."""
    meta = {**tree.get("meta", {}), "versionId": str(version), "lastUpdated": written_instant(at)}
    return {**tree, "meta": meta}


def written_instant(at: datetime) -> str:
    """An instant with milliseconds in UTC, as `meta.lastUpdated` shows it."""
    return at.isoformat(timespec="milliseconds")[:23] + "Z"


def placed(error: FhirError, place: str) -> FhirError:
    """The same refusal, pointing into the Bundle that brought the resource."""
    if not place:
        return error
    issues = [Issue(i.code, i.zh, i.en, _inside(place, i.at), i.severity, i.detail) for i in error.issues]
    return FhirError(error.status, issues, error.headers)


def _inside(place: str, at: str) -> str:
    if at.startswith(place):
        return at
    if at == "resource" or at.startswith(("request", "resource.", "fullUrl")):
        return f"{place}.{at}"
    if at.startswith("["):  # an operation of the patch that the entry's Binary holds
        return f"{place}.resource.data{at}"
    member = at.partition(".")[2] if at[:1].isupper() else at
    return f"{place}.resource.{member}" if member else f"{place}.resource"


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
            detail="kernel.identifiers-type-given-system",
        )
    ]

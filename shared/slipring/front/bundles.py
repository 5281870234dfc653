"""Where the entries of a posted Bundle go: one owner for a transaction, a part per owner for a batch. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.intent import placed
from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.front.crossing import has_steps, may_cross
from slipring.front.exchange import segments
from slipring.front.owners import Owners, Ownership
from slipring.front.peers import RawObject, decoded
from slipring.front.subscriptions import demand_one_teller

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}", re.ASCII)
_WRITES_BY_CRITERIA = ("PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry's request and its owner; None when nobody keeps its type.

    `alone`: the entry alone does not say who answers it (a search over services, criteria, an id without a letter),
    so in a batch the front asks for it as for a request of its own.
    """

    at: str
    type: str
    ownership: Ownership | None
    method: str = ""
    parts: tuple[str, ...] = ()
    query: str = ""
    condition: str | None = None  # the criteria a write depends on
    alone: bool = False
    uncertain: bool = False  # a shared type and an id without a letter: whoever holds it is the owner
    refused: FhirError | None = None  # what is wrong with the request itself


def places(entries: Sequence[RawObject], owners: Owners, base: str = "") -> list[Place]:
    """Where each entry belongs; `base` is the address that a request.url may begin with."""
    return [_place(position, entry, owners, base) for position, entry in enumerate(entries)]


def _place(position: int, entry: RawObject, owners: Owners, base: str) -> Place:
    at = f"Bundle.entry[{position}]"
    request: Any = decoded(entry["request"]) if "request" in entry else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise unprocessable(
            "An entry has no request.",
            "条目缺少 request。",
            at=f"{at}.request",
            code="required",
            detail="front.entry-request",
        )
    try:
        parts, query = _address(request["url"], at, base)
    except FhirError as error:
        return Place(at, "", None, refused=error)
    place = Place(at, parts[0], None, str(request.get("method", "")), parts, query)
    resource: Any = decoded(entry["resource"]) if "resource" in entry and parts[0] == "Subscription" else None
    if isinstance(resource, dict):
        try:
            demand_one_teller(resource, owners, base)
        except FhirError as error:
            return replace(place, refused=placed(error, at))
    return _belonging(place, entry, request, owners)


def _address(url: str, at: str, base: str) -> tuple[tuple[str, ...], str]:
    """The segments and the query of a request.url, which may begin with the front's own base."""
    if base and (url == base or url.startswith((f"{base}/", f"{base}?"))):
        url = url.removeprefix(base)
    path, _, query = url.partition("?")
    parts = segments(unquote(path))
    if not parts or not _TYPE.fullmatch(parts[0]):
        raise unprocessable(
            "request.url does not name a type.",
            "request.url 未指明资源类型。",
            at=f"{at}.request.url",
            code="value",
            detail="front.entry-url",
        )
    return parts, query


def _belonging(place: Place, entry: RawObject, request: dict[str, Any], owners: Owners) -> Place:
    kept_type, parts = place.type, place.parts
    keepers = owners.keepers_of(kept_type)
    if not keepers and kept_type in TYPES:
        return replace(place, ownership=Ownership(owners.services[0]), alone=True)
    if not keepers:
        return place
    if len(parts) == 1:
        return _of_type(place, entry, request, owners)
    if parts[1].startswith("$"):
        owner = owners.owner_of_operation(kept_type, parts[1])
        return replace(place, ownership=Ownership(owner) if owner else None)
    if parts[1].startswith("_"):
        return replace(place, ownership=Ownership(keepers[0], movable=keepers), alone=len(keepers) > 1)
    if parts[-1] == "$everything":
        return replace(place, ownership=Ownership(keepers[0]), alone=True)
    if owners.is_certain(kept_type, parts[1]):
        return replace(place, ownership=Ownership(owners.owner_of_read(kept_type, parts[1]) or keepers[0]))
    reads = place.method in ("GET", "HEAD") or len(parts) > 2
    return replace(place, ownership=_by_content(entry, kept_type, owners), alone=reads, uncertain=True)


def _of_type(place: Place, entry: RawObject, request: dict[str, Any], owners: Owners) -> Place:
    """An entry that names no id: a create, a search, or a write by criteria."""
    keepers = owners.keepers_of(place.type)
    if place.method in ("GET", "HEAD"):
        alone = len(keepers) > 1 or may_cross(place.query)
        return replace(place, ownership=Ownership(keepers[0], movable=keepers), alone=alone)
    condition = place.query if place.method in _WRITES_BY_CRITERIA else request.get("ifNoneExist")
    if not isinstance(condition, str) or not condition:
        return replace(place, ownership=_by_content(entry, place.type, owners))
    criteria = condition.partition("?")[2] or condition
    alone = len(keepers) > 1 or has_steps(criteria)
    return replace(place, ownership=_by_content(entry, place.type, owners), condition=criteria, alone=alone)


def _by_content(entry: RawObject, kept_type: str, owners: Owners) -> Ownership:
    """The owner of the resource in an entry; without one of the type any keeper may be meant."""
    resource: Any = decoded(entry["resource"]) if "resource" in entry else None
    keepers = owners.keepers_of(kept_type)
    if isinstance(resource, dict) and resource.get("resourceType") == kept_type:
        return owners.owner_of(resource) or Ownership(keepers[0])
    return Ownership(keepers[0], movable=keepers if len(keepers) > 1 else ())


def one_owner(found: Sequence[Place], owners: Owners) -> str:
    """The single owner of a transaction.

    An entry that only a default decided (its type has several keepers and no rule names one) goes along with
    the others, if their owner keeps its type.
    """
    for place in found:
        if place.refused is not None:
            raise place.refused
        if place.ownership is None:
            raise unkept(place.type, owners, at=place.at)
        if place.alone and place.method in ("GET", "HEAD") and len(place.parts) == 1:
            raise unprocessable(
                f"A search on {place.type} asks several services and has no place in a transaction: send a batch.",
                f"对 {place.type} 的检索涉及多个服务，不能放在事务中：请用 batch。",
                at=f"{place.at}.request.url",
                detail="front.search-in-transaction",
            )
    certain = {place.ownership.owner for place in found if place.ownership and not place.ownership.movable}
    if not certain:
        certain = {place.ownership.owner for place in found if place.ownership}
    movable = [place.ownership.movable for place in found if place.ownership and place.ownership.movable]
    if len(certain) == 1:
        [owner] = certain
        if all(owner in keepers for keepers in movable):
            return owner
    raise _mixed(found)


def _mixed(found: Sequence[Place]) -> FhirError:
    by_owner: dict[str, list[str]] = {}
    for place in found:
        if place.ownership:
            by_owner.setdefault(place.ownership.owner, []).append(f"{place.at} ({place.type})")
    issues = [
        Issue(
            "business-rule",
            zh=f"事务只能由一个服务原子地保存；{owner} 保存：{'、'.join(names)}。"
            "请拆分，或改用 batch，或使用 slipring load。",
            en=f"A transaction is atomic with one owner; {owner} keeps {', '.join(names)}."
            " Split it, send a batch, or use slipring load.",
            at=names[0].partition(" ")[0],
            detail="front.mixed-owners",
        )
        for owner, names in sorted(by_owner.items())
    ]
    return FhirError(422, issues)


def unkept(resource_type: str, owners: Owners, *, at: str = "") -> FhirError:
    """404: nobody keeps this type; the answer names those that are kept."""
    kept = ", ".join(owners.types)
    # The type is repeated only if it looks like one: an address may hold anything.
    name = resource_type if _TYPE.fullmatch(resource_type) else "?"
    issue = Issue(
        "not-supported",
        zh=f"此处不保存资源类型 {name}。保存的类型：{kept}。",
        en=f"Resources of type {name} are not kept here. Kept types: {kept}.",
        at=at,
        detail="front.type-not-kept",
    )
    return FhirError(404, [issue])

"""Where the entries of a posted Bundle go: one owner for a transaction, a part per owner for a batch. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.front.owners import Owners, Ownership
from slipring.front.peers import RawObject, decoded

_ADDRESS = re.compile(r"^/?(?P<type>[A-Z][A-Za-z]+)(?:/(?P<id>[^/?]+))?(?:/[^?]*)?(?:\?.*)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry's owner; None when nobody keeps its type. `spread`: a search that several keepers answer."""

    at: str
    type: str
    ownership: Ownership | None
    spread: bool = False


def places(entries: Sequence[RawObject], owners: Owners) -> list[Place]:
    """Where each entry belongs."""
    return [_place(position, entry, owners) for position, entry in enumerate(entries)]


def _place(position: int, entry: RawObject, owners: Owners) -> Place:
    at = f"Bundle.entry[{position}]"
    request: Any = decoded(entry["request"]) if "request" in entry else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise unprocessable("An entry has no request.", "条目缺少 request。", at=f"{at}.request", code="required")
    address = _ADDRESS.match(request["url"])
    if not address:
        raise unprocessable(
            "request.url does not name a type.", "request.url 未指明资源类型。", at=f"{at}.request.url", code="value"
        )
    kept_type, given_id = address["type"], address["id"]
    if given_id and given_id[0] not in "$_" and owners.is_certain(kept_type, given_id):
        owner = owners.owner_of_read(kept_type, given_id)
        return Place(at, kept_type, Ownership(owner) if owner else None)
    if given_id and given_id.startswith("$"):
        owner = owners.owner_of_operation(kept_type, given_id)
        return Place(at, kept_type, Ownership(owner) if owner else None)
    if "resource" in entry:
        resource: Any = decoded(entry["resource"])
        return Place(at, kept_type, owners.owner_of(resource) if isinstance(resource, dict) else None)
    keepers = owners.keepers_of(kept_type)
    is_search = given_id is None and request.get("method") in ("GET", "HEAD")
    ownership = Ownership(keepers[0], movable=keepers) if keepers else None
    return Place(at, kept_type, ownership, spread=is_search and len(keepers) > 1)


def one_owner(found: Sequence[Place], owners: Owners) -> str:
    """The single owner of a transaction.

    An entry that only a default decided (its type has several keepers and no rule names one) goes along with
    the others, if their owner keeps its type.
    """
    for place in found:
        if place.ownership is None:
            raise unkept(place.type, owners, at=place.at)
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
    name = resource_type if re.fullmatch(r"[A-Z][A-Za-z]{1,40}", resource_type) else "?"
    issue = Issue(
        "not-supported",
        zh=f"此处不保存资源类型 {name}。保存的类型：{kept}。",
        en=f"Resources of type {name} are not kept here. Kept types: {kept}.",
        at=at,
        detail="front.type-not-kept",
    )
    return FhirError(404, [issue])

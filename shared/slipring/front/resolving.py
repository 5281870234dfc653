"""Chains and `_has` over services: each step a search of its own, in the caller's name, its matches handed on as ids.

Steps are asked by POST `_search`, so that neither values nor ids stand in addresses. What a step may see is what the
caller may see: the keeper of each step decides that by the caller's own token.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from slipring.fhir.search.index import rows
from slipring.fhir.search.parameter import parameters_for
from slipring.front.bounds import Bounds, too_many
from slipring.front.crossing import Chain, Has, Pairs, leaves, step_of
from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import RawObject, decoded, raw_bundle

FORM = {"content-type": "application/x-www-form-urlencoded"}
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Steps:
    """Takes the steps of one exchange's search."""

    exchange: Exchange
    owners: Owners
    bounds: Bounds
    zone: tzinfo

    async def rewritten(self, resource_type: str, pairs: Pairs) -> Pairs:
        """The search as each keeper of the type can answer it alone."""
        return [
            pair
            for found in await asyncio.gather(*(self._one(resource_type, *pair) for pair in pairs))
            for pair in found
        ]

    async def _one(self, resource_type: str, name: str, text: str) -> Pairs:
        if not leaves(resource_type, name, text, self.owners):
            return [(name, text)]
        match step_of(resource_type, name, self.owners):
            case Chain(code=code, types=types, rest=rest):
                asked = (self.found(target, [(rest, text)], name) for target in types)
                trees = [tree for found in await asyncio.gather(*asked) for tree in found]
                by_url = parameters_for(resource_type)[code].canonical
                return [(code, self._listed([name_of(tree, by_url=by_url) for tree in trees], name))]
            case Has(type=source, by=by, rest=rest):
                trees = await self.found(source, [(rest, text)], name)
                parameter = parameters_for(source)[by]
                named = [
                    row for tree in trees for row in rows(tree, self.zone).references if row.parameter in parameter.keys
                ]
                if parameter.canonical:
                    return [("url", self._listed([escaped(row.id) for row in named if not row.type], name))]
                return [("_id", self._listed([row.id for row in named if row.type == resource_type], name))]
        return [(name, text)]

    def _listed(self, ids: list[str], name: str) -> str:
        distinct = [one for one in dict.fromkeys(ids) if one]
        if len(distinct) > self.bounds.most_matched:
            raise self._too_many(name)
        # Nothing matched: an id that nobody can ever have keeps the other parameters checked by the keeper.
        return ",".join(distinct) or f"none-{uuid.uuid4()}"

    def _too_many(self, name: str) -> Exception:
        return too_many(_shown(name), self.bounds.most_matched, "matches of one step, at most", "单步匹配数，最多")

    async def found(self, resource_type: str, pairs: Pairs, name: str) -> list[Tree]:
        """All resources that meet a step, from all keepers of the type; too many are refused in the name of `name`."""
        plain = await self.rewritten(resource_type, pairs)
        keepers = self.owners.keepers_of(resource_type)
        answers = await asyncio.gather(*(self._asked(keeper, resource_type, plain) for keeper in keepers))
        entries = [entry for found, _ in answers for entry in found]
        if any(more for _, more in answers) or len(entries) > self.bounds.most_matched:
            raise self._too_many(name)
        return [tree for entry in entries if isinstance(tree := decoded(entry["resource"]), dict)]

    async def _asked(self, keeper: str, resource_type: str, pairs: Pairs) -> tuple[list[RawObject], bool]:
        return await search_once(
            self.exchange, keeper, resource_type, [*pairs, ("_count", str(self.bounds.most_matched))]
        )


def name_of(tree: Tree, *, by_url: bool = False) -> str:
    """What a resource is referred to by, as it stands in a search: `Type/id`, or its canonical URL."""
    return escaped(str(tree.get("url", ""))) if by_url else f"{tree['resourceType']}/{tree['id']}"


def escaped(text: str) -> str:
    """A value as it stands among others."""
    return re.sub(r"([\\,|$])", r"\\\1", text)


async def search_once(
    exchange: Exchange, keeper: str, resource_type: str, pairs: Pairs
) -> tuple[list[RawObject], bool]:
    """The matches on one page of a keeper, and whether there are more; a refusal of the keeper is passed on."""
    reply = await exchange.ask(keeper, "POST", f"{resource_type}/_search", urlencode(pairs).encode(), FORM)
    if reply.status == 404:  # a keeper in the table that does not keep the type yet
        return [], False
    if reply.status != 200:
        raise KeeperRefused(reply)
    bundle, entries = raw_bundle(reply.body)
    links: Any = decoded(bundle["link"]) if "link" in bundle else []
    matches = [entry for entry in entries if _mode(entry) == "match"]
    return matches, any(link.get("relation") == "next" for link in links)


def _mode(entry: RawObject) -> str:
    search: Any = decoded(entry["search"]) if "search" in entry else {}
    return str(search.get("mode", "match"))


def _shown(name: str) -> str:
    return name if len(name) <= 64 and name.isascii() and name.isprintable() else "(…)"

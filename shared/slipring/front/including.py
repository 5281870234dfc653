"""`_include` and `_revinclude` over services: what a page refers to, or is referred to by, fetched by ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from slipring.fhir.search.include import Include
from slipring.fhir.search.index import rows
from slipring.fhir.search.parameter import SearchParameter
from slipring.front.bounds import Bounds, too_many
from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import RawObject, decoded, raw
from slipring.front.resolving import escaped, name_of, search_once

Tree = dict[str, Any]
Name = tuple[str, str]  # type and id


@dataclass(slots=True)
class Inclusion:
    """One page with what belongs to it; every resource stands on it once."""

    exchange: Exchange
    owners: Owners
    bounds: Bounds
    zone: tzinfo
    only: frozenset[str] | None = None  # types that may be added; None = any
    forgiving: bool = False  # whether what the caller may not see is left out, instead of refusing the page
    present: set[Name] = field(default_factory=set)
    entries: list[RawObject] = field(default_factory=list)

    async def around(self, matches: Sequence[RawObject], includes: Sequence[Include]) -> list[RawObject]:
        """The entries to add to these matches; with `:iterate` also around what was added."""
        if not includes:
            return []
        latest = [tree for entry in matches if isinstance(tree := decoded(entry["resource"]), dict)]
        self.know(matches)
        followed = list(includes)
        for _ in range(self.bounds.most_rounds):
            found = await asyncio.gather(*(self._one(include, latest) for include in followed))
            latest = [tree for entries in found for tree in self._added(entries)]
            followed = [include for include in includes if include.iterate]
            if not latest or not followed:
                return self.entries
        raise too_many("_include", self.bounds.most_rounds, "rounds of :iterate, at most", ":iterate 的轮数，最多")

    def know(self, entries: Iterable[RawObject]) -> None:
        """These stand on the page already."""
        trees = (tree for entry in entries if isinstance(tree := decoded(entry["resource"]), dict))
        self.present.update((tree["resourceType"], tree["id"]) for tree in trees if "id" in tree)

    def _added(self, entries: list[RawObject]) -> list[Tree]:
        trees = []
        for entry in entries:
            tree = decoded(entry["resource"])
            if isinstance(tree, dict) and (name := (tree["resourceType"], tree["id"])) not in self.present:
                self.present.add(name)
                self.entries.append({**entry, "search": raw({"mode": "include"})})
                trees.append(tree)
        if len(self.entries) > self.bounds.most_included:
            raise self._too_many("_include")
        return trees

    def _too_many(self, name: str) -> Exception:
        return too_many(
            name, self.bounds.most_included, "included resources on one page, at most", "一页附带的资源数，最多"
        )

    async def _one(self, include: Include, latest: list[Tree]) -> list[RawObject]:
        return await (self._referring(include, latest) if include.reverse else self._referred(include, latest))

    # --- forwards -------------------------------------------------------------------------------------------

    async def _referred(self, include: Include, latest: list[Tree]) -> list[RawObject]:
        followed = {key: one for one in include.parameters(self.owners.linked) for key in one.keys}
        wanted: dict[str, dict[str, None]] = {}
        urls: dict[str, dict[str, None]] = {}
        for row in (row for tree in latest for row in rows(tree, self.zone).references if row.parameter in followed):
            if self._fits(include, row.type) and (row.type, row.id) not in self.present:
                wanted.setdefault(row.type, {})[row.id] = None
            for target in followed[row.parameter].targets if followed[row.parameter].canonical else ():
                if self._fits(include, target):
                    urls.setdefault(target, {})[escaped(row.id)] = None
        if sum(map(len, wanted.values())) > self.bounds.most_included:
            raise self._too_many("_include")
        asked = [self._by_ids(kept_type, list(ids)) for kept_type, ids in wanted.items()]
        asked += [self._by_urls(kept_type, list(some)) for kept_type, some in urls.items()]
        return [entry for entries in await asyncio.gather(*asked) for entry in entries]

    def _fits(self, include: Include, kind: str) -> bool:
        return bool(kind) and include.target in ("", kind) and (self.only is None or kind in self.only)

    async def _asked(self, keeper: str, kept_type: str, name: str, values: list[str]) -> list[RawObject]:
        pairs = [(name, ",".join(values)), ("_count", str(self.bounds.most_included))]
        try:
            return (await search_once(self.exchange, keeper, kept_type, pairs))[0]
        except KeeperRefused as refused:
            if self.forgiving and refused.reply.status == 403:
                return []
            raise

    async def _by_urls(self, kept_type: str, urls: list[str]) -> list[RawObject]:
        asked = [
            self._asked(keeper, kept_type, "url", some)
            for keeper in self.owners.keepers_of(kept_type)
            for some in _in_portions(urls, self.bounds.ids_at_once)
        ]
        return [entry for entries in await asyncio.gather(*asked) for entry in entries]

    async def _by_ids(self, kept_type: str, ids: list[str]) -> list[RawObject]:
        by_keeper: dict[str, list[str]] = {}
        for each in ids:
            for keeper in self._holders(kept_type, each):
                by_keeper.setdefault(keeper, []).append(each)
        asked = [
            self._asked(keeper, kept_type, "_id", some)
            for keeper, held in by_keeper.items()
            for some in _in_portions(held, self.bounds.ids_at_once)
        ]
        return [entry for entries in await asyncio.gather(*asked) for entry in entries]

    def _holders(self, kept_type: str, resource_id: str) -> tuple[str, ...]:
        """Who may hold it: one by the id's letter, else any keeper of the type."""
        if self.owners.is_certain(kept_type, resource_id):
            owner = self.owners.owner_of_read(kept_type, resource_id)
            return (owner,) if owner else ()
        return self.owners.keepers_of(kept_type)

    # --- backwards ------------------------------------------------------------------------------------------

    async def _referring(self, include: Include, latest: list[Tree]) -> list[RawObject]:
        asked = []
        for parameter in include.parameters(self.owners.linked):
            targets = (include.target,) if include.target else parameter.targets
            fitting = [tree for tree in latest if not targets or tree["resourceType"] in targets]
            named = (name_of(tree, by_url=parameter.canonical) for tree in fitting)
            names = [name for name in named if name]
            for some in _in_portions(names, self.bounds.ids_at_once):
                asked += [
                    self._pointing(include, keeper, parameter, some)
                    for keeper in self.owners.keepers_of(parameter.resource)
                ]
        return [entry for entries in await asyncio.gather(*asked) for entry in entries]

    async def _pointing(
        self, include: Include, keeper: str, parameter: SearchParameter, names: list[str]
    ) -> list[RawObject]:
        pairs = [(parameter.code, ",".join(names)), ("_count", str(self.bounds.most_included))]
        entries, more = await search_once(self.exchange, keeper, parameter.resource, pairs)
        if more:
            raise self._too_many(_name(include))
        return entries


def _name(include: Include) -> str:
    return "_revinclude" if include.reverse else "_include"


def _in_portions(ids: list[str], size: int) -> Iterable[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))

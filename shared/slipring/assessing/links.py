"""How a service finds what it has on a case: searches from one record to the next, declared in its `evidence.toml` (pure)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource


@dataclass(frozen=True, slots=True)
class Link:
    """From each record of a type, what a search finds whose last parameter takes its reference.

    `named`: of what it finds only what names a record of the case: a search by patient finds other cases, too.
    """

    start: str  # the type it begins at
    find: str  # e.g. Consent?data
    named: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """All of a service.

    `read`: types whose records are taken where one of the case refers to them; `versions`: those with each earlier version.
    """

    links: tuple[Link, ...]
    read: frozenset[str]
    versions: frozenset[str]
    hidden: Mapping[str, frozenset[str]]  # by type: the states of what is not for outsiders yet, such as a draft

    def hides(self, resource: Resource) -> bool:
        """Whether it is not shown."""
        return resource.get("status") in self.hidden.get(str(resource["resourceType"]), ())

    @property
    def types(self) -> tuple[str, ...]:
        """What an answer tells of."""
        return tuple(sorted({one.find.partition("?")[0] for one in self.links}))


def read_links(path: Path) -> Links:
    """The links of a file."""
    tree: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    found = [
        Link(start, find.removesuffix("!"), find.endswith("!"))
        for start, finds in tree["link"].items()
        for find in finds
    ]
    hidden = {kind: frozenset(states) for kind, states in tree.get("hidden", {}).items()}
    return Links(tuple(found), frozenset(tree["read"]), frozenset(tree.get("versions", ())), hidden)


def references_in(tree: Any) -> Iterator[str]:
    """Every relative reference of a resource, without versions."""
    if isinstance(tree, dict):
        said = tree.get("reference")
        if isinstance(said, str) and said.count("/") >= 1 and not said.startswith(("#", "http", "urn:")):
            yield said.partition("/_history/")[0]
        for member in tree.values():
            yield from references_in(member)
    elif isinstance(tree, list):
        for one in tree:
            yield from references_in(one)


def names_one_of(resource: Resource, references: set[str]) -> bool:
    """Whether a record refers to one of these."""
    return any(one in references for one in references_in(resource))

"""The standard R4 search parameters of every type, read from `parameters.json`.

Parser, indexer, CapabilityStatement and docs all follow from this one declaration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

ParameterType = Literal["token", "reference", "date", "string", "uri"]

# The modifiers that are implemented; `:Type` on references stands for any allowed target type.
_MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "token": ("missing", "not"),
    "reference": ("missing", "identifier"),
    "date": ("missing",),
    "string": ("missing", "exact", "contains"),
    "uri": ("missing",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One member on the way down; with `where`, only items whose member has this value."""

    name: str
    where: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A way from the resource to an element, and the element's FHIR type (`presence`: only whether it is there)."""

    steps: tuple[Step, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one resource type.

    `only` keeps references to these types alone (`where(resolve() is Patient)`); `targets` are the types it may name,
    empty for any; `system` is the code system that a plain `code` element implies. `column` marks `_id` and
    `_lastUpdated`, which live on the resource row itself.
    """

    resource: str
    code: str
    type: ParameterType
    url: str
    paths: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    system: str = ""
    column: bool = False

    @property
    def key(self) -> str:
        """How the search tables name it, `Type.code`."""
        return f"{self.resource}.{self.code}"

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The modifiers it understands, without the colon; a target type's name is one for references."""
        return () if self.column else _MODIFIERS[self.type]

    @property
    def sortable(self) -> bool:
        """Whether `_sort` may name it."""
        return self.type in ("token", "date", "string", "uri")


@cache
def _declared() -> Mapping[str, Mapping[str, Any]]:
    text = files("slipring.fhir.search").joinpath("parameters.json").read_text(encoding="utf-8")
    declared: dict[str, dict[str, Any]] = json.loads(text)
    return declared


def _path(text: str) -> Path:
    way, _, kind = text.rpartition(":")
    steps = []
    for part in way.split("."):
        name, _, condition = part.rstrip("]").partition("[")
        member, _, value = condition.partition("=")
        steps.append(Step(name, (member, value) if member else None))
    return Path(tuple(steps), kind)


def _parameter(resource_type: str, code: str, entry: Mapping[str, Any]) -> SearchParameter:
    return SearchParameter(
        resource=resource_type,
        code=code,
        type=entry["type"],
        url=entry["url"],
        paths=tuple(_path(text) for text in entry["paths"]),
        targets=tuple(entry.get("targets", ())),
        only=tuple(entry.get("only", ())),
        system=entry.get("system", ""),
    )


@cache
def parameters_for(resource_type: str) -> Mapping[str, SearchParameter]:
    """Every search parameter of a type by its code; the common ones (`_id`, `_tag`, ...) come first."""
    declared = _declared()
    found = {
        "_id": SearchParameter(
            resource_type, "_id", "token", "http://hl7.org/fhir/SearchParameter/Resource-id", column=True
        ),
        "_lastUpdated": SearchParameter(
            resource_type,
            "_lastUpdated",
            "date",
            "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated",
            column=True,
        ),
    }
    for entries in (declared["Resource"], declared.get(resource_type, {})):
        found |= {code: _parameter(resource_type, code, entry) for code, entry in entries.items()}
    return MappingProxyType(found)


def searchable_types() -> tuple[str, ...]:
    """The resource types with parameters of their own."""
    return tuple(name for name in _declared() if name != "Resource")

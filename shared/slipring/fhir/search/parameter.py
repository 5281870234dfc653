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

ParameterType = Literal["token", "reference", "date", "string", "uri", "number", "quantity", "composite"]
Family = Literal["token", "reference", "date", "string", "quantity"]

# Parameters about the answer, not about what is searched.
CONTROLS = (
    *("_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude"),
    *("_format", "_pretty"),
)

# The modifiers that are implemented; `:Type` on references stands for any allowed target type.
_MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "token": ("missing", "not", "text", "in", "not-in"),
    "reference": ("missing", "identifier"),
    "date": ("missing",),
    "string": ("missing", "exact", "contains"),
    "uri": ("missing", "above", "below"),
    "number": ("missing",),
    "quantity": ("missing",),
    "composite": (),
}
_NAMED = frozenset({"Coding", "CodeableConcept", "Identifier"})  # tokens that have a text beside their code


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
    `_lastUpdated`, which live on the resource row itself. `of` names parameters whose rows together are its rows.
    A composite has two `parts` (paths from the elements at `paths`), which must hold for the same element.
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
    of: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def key(self) -> str:
        """How the search tables name it, `Type.code`."""
        return f"{self.resource}.{self.code}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The row names to look under: its own, or those of the parameters it is made of."""
        return tuple(f"{self.resource}.{code}" for code in self.of) if self.of else (self.key,)

    @property
    def family(self) -> Family:
        """Which table holds its rows; a composite's are with its second part."""
        kind = self.parts[1].parameter.type if self.parts else self.type
        if kind in ("uri", "number"):
            return "token" if kind == "uri" else "quantity"
        return kind  # type: ignore[return-value]

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The modifiers it understands, without the colon; a target type's name is one for references."""
        if self.column:
            return ()
        found = ("missing",) if self.canonical else _MODIFIERS[self.type]
        kinds = {path.kind for path in self.paths}
        if self.type == "token" and not self.of and not kinds & _NAMED:
            found = tuple(one for one in found if one != "text")
        return (*found, "of-type") if self.type == "token" and "Identifier" in kinds else found

    @property
    def canonical(self) -> bool:
        """Whether it names resources by their canonical URL instead of by type and id."""
        kinds = {path.kind for path in self.paths}
        return self.type == "reference" and "Reference" not in kinds

    @property
    def sortable(self) -> bool:
        """Whether `_sort` may name it."""
        return self.type != "composite"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a composite: the parameter whose values it takes, and its paths from the element they share."""

    parameter: SearchParameter
    paths: tuple[Path, ...]


@cache
def _declared() -> Mapping[str, Mapping[str, Any]]:
    text = files("slipring.fhir.search").joinpath("parameters.json").read_text(encoding="utf-8")
    declared: dict[str, dict[str, Any]] = json.loads(text)
    return declared


def _path(text: str) -> Path:
    way, _, kind = text.rpartition(":")
    return Path(_steps(way), kind)


def _steps(way: str) -> tuple[Step, ...]:
    steps = []
    for part in way.split(".") if way else ():
        name, _, condition = part.rstrip("]").partition("[")
        member, _, value = condition.partition("=")
        steps.append(Step(name, (member, value) if member else None))
    return tuple(steps)


def _parameter(resource_type: str, code: str, entry: Mapping[str, Any]) -> SearchParameter:
    return SearchParameter(
        resource=resource_type,
        code=code,
        type=entry["type"],
        url=entry["url"],
        paths=tuple(_path(text) for text in entry.get("paths", ()))
        + tuple(Path(_steps(text), "composite") for text in entry.get("at", ())),
        targets=tuple(entry.get("targets", ())),
        only=tuple(entry.get("only", ())),
        system=entry.get("system", ""),
        of=tuple(entry.get("of", ())),
        parts=tuple(
            Part(
                _parameter(resource_type, part["code"], _declared()[resource_type][part["code"]]),
                tuple(_path(text) for text in part["paths"]),
            )
            for part in entry.get("parts", ())
        ),
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

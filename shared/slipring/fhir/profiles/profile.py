"""A profile as data: a file of element definitions, in the words of StructureDefinition.differential.

A file holds `id`, `type` (a resource type or Extension), `title`, `zh`, `description` and a list `element`. The keys of an
element are those of ElementDefinition; its `id` is written without the type, slices after a colon
(`identifier:placer.type`). `{C}` in a text stands for our canonical base. Two shorthands: `slicing = "type"` names the
member whose pattern tells the slices apart (extensions are told apart by their url and need none), and `valueSet` is a
required binding.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

_BASE = "http://hl7.org/fhir/StructureDefinition/"
_VERSION = "1"
_DATE = "2026-11-25"
_OWN_KEYS = {"zh", "slicing", "valueSet", "types", "targets", "id"}


@dataclass(frozen=True)
class Profile:
    """One profile or extension."""

    id: str
    type: str
    title: str
    zh: str
    description: str
    element: tuple[Mapping[str, Any], ...]
    context: tuple[str, ...] = ()  # of an extension: the elements that may carry it

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{CANONICAL}/StructureDefinition/{self.id}"

    @cached_property
    def by_id(self) -> Mapping[str, Mapping[str, Any]]:
        """Each element definition by its id without the type."""
        return {str(element["id"]): element for element in self.element}

    def fixed(self, element: str) -> tuple[str, Any] | None:
        """What an element must equal (`fixed...`) or hold (`pattern...`): the key and the value."""
        found = self.by_id.get(element, {})
        return next(((key, value) for key, value in found.items() if key.startswith(("fixed", "pattern"))), None)

    def member_of(self, slice_id: str) -> tuple[str, Any]:
        """How an item is known to belong to a slice: the member to look at, and what it must hold."""
        list_id, _, name = slice_id.rpartition(":")
        if list_id.rpartition(".")[2] in ("extension", "modifierExtension"):
            typed = self.by_id[slice_id].get("profile")
            return "url", typed or name
        by = str(self.by_id[list_id]["slicing"])
        told = self.fixed(f"{slice_id}.{by}")
        assert told is not None, f"{self.id}: {slice_id}.{by} has no pattern"  # noqa: S101  # a fault of the data file
        return by, told[1]

    def structure_definition(self) -> Resource:
        """The StructureDefinition that says all this; a differential, from which a reader makes the snapshot."""
        written: Resource = {
            "resourceType": "StructureDefinition",
            "id": self.id,
            "url": self.url,
            "version": _VERSION,
            "name": "".join(part.capitalize() for part in self.id.split("-")),
            "title": self.title,
            "_title": _also(self.zh),
            "status": "active",
            "experimental": False,
            "date": _DATE,
            "publisher": "slipring",
            "description": self.description,
            "fhirVersion": "4.0.1",
            "kind": "complex-type" if self.type == "Extension" else "resource",
            "abstract": False,
        }
        if self.type == "Extension":
            written["context"] = [{"type": "element", "expression": place} for place in self.context]
        root = {"id": self.type, "path": self.type, "short": self.title, "definition": self.description}
        return {
            **written,
            "type": self.type,
            "baseDefinition": _BASE + self.type,
            "derivation": "constraint",
            "differential": {"element": [root, *(self._written(element) for element in self.element)]},
        }

    def _written(self, element: Mapping[str, Any]) -> Resource:
        element_id = str(element["id"])
        path = ".".join(step.partition(":")[0] for step in element_id.split("."))
        written: Resource = {"id": f"{self.type}.{element_id}", "path": f"{self.type}.{path}"}
        if ":" in element_id.rpartition(".")[2]:
            written["sliceName"] = element_id.rpartition(":")[2]
        if "slicing" in element:
            kind = "value" if element["slicing"] == "url" else "pattern"
            discriminator = {"type": kind, "path": element["slicing"]}
            written["slicing"] = {"discriminator": [discriminator], "rules": "open"}
        for key in ("short", "definition", "comment", "min", "max"):
            if key in element:
                written[key] = element[key]
        if "short" in element and "zh" in element:
            written["_short"] = _also(element["zh"])
        if types := list(_types(element)):
            written["type"] = types
        written |= {key: value for key, value in element.items() if key.startswith(("fixed", "pattern"))}
        if "valueSet" in element:
            written["binding"] = {"strength": "required", "valueSet": element["valueSet"]}
        return written


def _types(element: Mapping[str, Any]) -> Iterator[Resource]:
    if "profile" in element:
        yield {"code": "Extension", "profile": [element["profile"]]}
    for code in element.get("types", ()):
        targets = [_BASE + target for target in element.get("targets", ())] if code == "Reference" else []
        yield {"code": code, "targetProfile": targets} if targets else {"code": code}
    if "targets" in element and "types" not in element:
        yield {"code": "Reference", "targetProfile": [_BASE + target for target in element["targets"]]}


def _also(zh: str) -> Resource:
    """The Chinese name beside an English one."""
    said = [{"url": "lang", "valueCode": "zh-CN"}, {"url": "content", "valueString": zh}]
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": said}]}


def read_profiles(file: Path) -> tuple[Profile, ...]:
    """The profiles of a data file, `[[profile]]` each."""
    text = file.read_text(encoding="utf-8").replace("{C}", CANONICAL)
    return tuple(
        Profile(
            id=entry["id"],
            type=entry["type"],
            title=entry["title"],
            zh=entry["zh"],
            description=entry["description"],
            element=tuple(entry.get("element", ())),
            context=tuple(entry.get("context", ())),
        )
        for entry in tomllib.loads(text)["profile"]
    )

"""HL7's R4 definitions as the compilers of this room read them: elements by path, and what a path leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Definitions:
    """The element definitions of all R4 types, and the code systems behind required bindings."""

    def __init__(self, folder: Path) -> None:
        self._elements: dict[str, dict[str, dict[str, Any]]] = {}
        for name in ("profiles-types.json", "profiles-resources.json"):
            for resource in resources(folder / name):
                if resource["resourceType"] == "StructureDefinition" and "snapshot" in resource:
                    elements = {element["path"]: element for element in resource["snapshot"]["element"]}
                    self._elements.setdefault(resource["type"], elements)
        self._value_sets = {
            resource["url"]: resource
            for resource in resources(folder / "valuesets.json")
            if resource["resourceType"] == "ValueSet"
        }

    def elements(self, of: str) -> Mapping[str, dict[str, Any]]:
        """The element definitions of a type by their path."""
        return self._elements[of]

    def walk(self, of: str, path: str, steps: list[str], cast: str | None) -> Iterator[tuple[list[str], str, str]]:
        """All (JSON member steps, element type, code system) that a dotted path leads to."""
        name, _, where = steps[0].partition("[")
        suffix = f"[{where}" if where else ""
        elements = self._elements[of]
        plain = elements.get(f"{path}.{name}")
        element = plain or elements.get(f"{path}.{name}[x]") or _spelled_choice(elements, path, name)
        if element is None:
            raise LookupError(f"{path}.{name} is not defined")
        if "contentReference" in element:
            target = element["contentReference"].lstrip("#")
            if len(steps) > 1:
                for rest, kind, system in self.walk(of, target, steps[1:], cast):
                    yield [name + suffix, *rest], kind, system
            return
        for declared in element["type"]:
            kind = "id" if "fhirpath" in declared["code"] else declared["code"]
            if len(steps) == 1 and cast and kind.lower() != cast.lower():  # R4 writes `DateTime` for dateTime once
                continue
            stem = element["path"].rpartition(".")[2].removesuffix("[x]")
            member = name if plain else stem + kind[0].upper() + kind[1:]
            if not plain and name not in (stem, member):
                continue
            if len(steps) == 1:
                yield [member + suffix], kind, self._system(element) if kind == "code" else ""
            elif kind in ("BackboneElement", "Element"):
                for rest, leaf, system in self.walk(of, element["path"], steps[1:], cast):
                    yield [member + suffix, *rest], leaf, system
            elif kind in self._elements and (cast is None or len(steps) > 1):
                for rest, leaf, system in self.walk(kind, kind, steps[1:], cast):
                    yield [member + suffix, *rest], leaf, system

    def _system(self, element: dict[str, Any]) -> str:
        """The one code system of a required binding, '' when there are several."""
        binding = element.get("binding", {})
        value_set = self._value_sets.get(binding.get("valueSet", "").partition("|")[0])
        if binding.get("strength") != "required" or not value_set:
            return ""
        systems = {include.get("system", "") for include in value_set.get("compose", {}).get("include", [])}
        return systems.pop() if len(systems) == 1 else ""


def _spelled_choice(elements: dict[str, dict[str, Any]], path: str, name: str) -> dict[str, Any] | None:
    """The choice element that a JSON member such as `valueCodeableConcept` belongs to."""
    stem = re.sub(r"[A-Z].*$", "", name)
    return elements.get(f"{path}.{stem}[x]")


def resources(file: Path) -> Iterator[dict[str, Any]]:
    """Every resource of one of the definition Bundles."""
    for entry in json.loads(file.read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]

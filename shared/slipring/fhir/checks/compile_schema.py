"""Make the strict JSON Schema of FHIR R4 from the model metadata: `python -m slipring.fhir.checks.compile_schema`.

Run when the model library or one of the r4_*.toml files changes; the result is kept as package data, so a service
starts without importing the models. Every data type and resource becomes one definition; `contained` and the
resources of a Bundle or Parameters are left to one validator call each (better places, no slow choice of types).
"""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slipring.fhir.models import Element, elements
from slipring.fhir.terminology.standard import bindings

Schema = dict[str, Any]
HERE = Path(__file__).parent
SCHEMA_FILE = HERE / "r4.schema.json.gz"

_ID = r"[A-Za-z0-9.-]{1,64}"
_HISTORY = rf"(?:/_history/{_ID})?"
# An address whose last but one step is no type name is some other server's business: not judged.
_ELSEWHERE = r"https?://[^/\s]+(?:/[^/\s]*)?|https?://\S*/[^A-Z_/\s][^/\s]*/[^/\s]*"
_OPAQUE = r"#\S*|urn:\S+|(?:ftp|mailto|tel|file|data|dicom):\S+"


def read(name: str) -> dict[str, Any]:
    """One of the data files beside this module."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def primitives() -> dict[str, Schema]:
    """JSON Schemas of the primitive types, parts of the patterns filled in."""
    data = read("r4_primitives.toml")
    parts: dict[str, str] = {}
    for name, pattern in data["parts"].items():
        parts[name] = _filled(pattern, parts)
    found = {}
    for name, entry in data["primitive"].items():
        schema = {key: value for key, value in entry.items() if key not in ("en", "zh")}
        if "pattern" in schema:
            schema["pattern"] = _filled(schema["pattern"], parts)
        found[name] = schema
    return found


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern


class Compiler:
    """Collects definitions: a type asks for the types of its elements until none is left."""

    def __init__(self) -> None:
        """Read the guards, the code lists and the primitive types."""
        self.guards = read("r4_guards.toml")
        self.primitives = primitives()
        self.codes: dict[str, Schema] = {}
        self.concepts: dict[str, Schema] = {}
        self.definitions: dict[str, Schema] = {}
        self.shared: dict[str, str] = {}
        self.members: dict[str, dict[str, str]] = {}  # type -> its elements that are no primitives, with their types
        for entry in bindings():
            self._bind(entry)
        self.named: dict[
            str, tuple[Schema, Sequence[str]]
        ] = {}  # element name -> its code rule, and where it is another
        for rule in read("r4_primitives.toml")["coded"].values():
            schema = {"type": "string", "pattern": rule["pattern"]}
            self.codes |= dict.fromkeys(rule["elements"], schema)
            self.named |= dict.fromkeys(rule.get("named", ()), (schema, rule.get("but", ())))

    def _bind(self, value_set: dict[str, Any]) -> None:
        allowed = sorted({code for include in value_set["include"] for code in include["codes"]})
        self.codes |= {place: {"enum": allowed} for place in value_set.get("codes_of", ())}
        known = [
            {
                "type": "object",
                "properties": {"system": {"const": include["system"]}, "code": {"enum": include["codes"]}},
                "required": ["system", "code"],
            }
            for include in value_set["include"]
        ]
        one = known[0] if len(known) == 1 else {"anyOf": known}
        concept = {"required": ["coding"], "properties": {"coding": {"contains": one}}}
        self.concepts |= dict.fromkeys(value_set.get("concepts_of", ()), concept)

    def compile(self) -> Schema:
        """All definitions, and for each resource type the names it needs."""
        sibling = self._object({"id": self._primitive("string"), "extension": self._many(self._type("Extension"))}, [])
        self.definitions |= {"Sibling": sibling, "SiblingOrGap": {**sibling, "type": ["object", "null"]}}
        for name in self.guards["types"]:
            self._type(name)
        needs = {name: sorted(self._reachable(name)) for name in self.guards["types"]}
        return {"needs": needs, "patterns": self._told(), "definitions": self.definitions, "members": self.members}

    def _told(self) -> dict[str, list[str]]:
        """What a person is told when a pattern does not fit: pattern -> English, Chinese."""
        data = read("r4_primitives.toml")
        of_types = {
            schema["pattern"]: [data["primitive"][name]["en"], data["primitive"][name]["zh"]]
            for name, schema in self.primitives.items()
            if "pattern" in schema
        }
        return of_types | {rule["pattern"]: [rule["en"], rule["zh"]] for rule in data["coded"].values()}

    def _reachable(self, name: str) -> set[str]:
        found: set[str] = set()
        open_names = [name]
        while open_names:
            present = open_names.pop()
            if present not in found:
                found.add(present)
                open_names += _referred(self.definitions[present])
        return found

    def _type(self, name: str) -> Schema:
        if name == "Resource":
            return {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
        if name not in self.definitions:
            self.definitions[name] = {}  # types may hold themselves
            self.definitions[name] = self._definition(name)
        return {"$ref": f"#/$defs/{name}"}

    def _elements(self, name: str) -> list[Element]:
        kept = [element for element in elements(name) if f"{name}.{element.name}" not in self.guards["absent"]]
        for place, entry in self.guards["added"].items():
            owner, _, added = place.partition(".")
            if owner == name:
                kept.append(Element(added, entry["type"], primitive=False, choice=entry["choice"]))
        return kept

    def _definition(self, name: str) -> Schema:
        properties: dict[str, Schema] = {}
        rules: list[Schema] = []
        required: list[str] = []
        choices: dict[str, list[Element]] = {}
        if name in self.guards["types"]:
            properties["resourceType"] = {"const": name}
            required.append("resourceType")
        inner = self.members.setdefault(name, {})
        for element in self._elements(name):
            one = self._element(name, element)
            if not element.primitive and element.type != "Resource":
                inner[element.name] = element.type
            if element.many:
                one = self._many(self._or_gap(one) if element.primitive else one)
            properties[element.name] = one
            sibling = element.primitive and element.name != "id" and f"{name}.{element.name}" != "Extension.url"
            if sibling:
                below = {"$ref": "#/$defs/SiblingOrGap" if element.many else "#/$defs/Sibling"}
                properties[f"_{element.name}"] = self._many(below) if element.many else below
            if element.choice:
                choices.setdefault(element.choice, []).append(element)
            elif element.required and sibling:
                rules.append({"if": {"required": [f"_{element.name}"]}, "else": {"required": [element.name]}})
            elif element.required:
                required.append(element.name)
        schema = self._object(properties, required)
        for choice, members in choices.items():
            self._exclude(schema, rules, choice, members)
        if rules:
            schema["allOf"] = rules
        return schema

    def _exclude(self, schema: Schema, rules: list[Schema], choice: str, members: list[Element]) -> None:
        """At most one member of a choice: each forbids those after it, so the error stands at the second one."""
        spelled = [[m.name, f"_{m.name}"] if m.primitive else [m.name] for m in members]
        dependent = schema.setdefault("dependentSchemas", {})
        for position, names in enumerate(spelled):
            later = [name for others in spelled[position + 1 :] for name in others]
            if later:
                alone = self._shared("alone", {"properties": dict.fromkeys(later, False)})
                dependent |= dict.fromkeys(names, alone)
        if members[0].choice_required:
            given = [{"required": [name]} for names in spelled for name in names]
            # The name asked for exists in no type: it tells the message which choice is missing.
            rules.append({"if": {"anyOf": given}, "else": {"required": [f"{choice}[x]"]}})

    def _element(self, owner: str, element: Element) -> Schema:
        place = f"{owner}.{element.name}"
        if place in self.codes:
            return self.codes[place]
        if element.type == "code" and element.name in self.named and place not in self.named[element.name][1]:
            return self.named[element.name][0]
        if element.primitive:
            in_element = element.name == "id" and owner not in self.guards["types"]
            return self._primitive("string" if in_element else element.type)
        base = self._type(element.type)
        if place in self.concepts:
            return {**base, **self.concepts[place]}
        if element.type == "Reference":
            return {**base, **self._pointing(self.guards["targets"].get(place, element.targets))}
        return base

    def _pointing(self, targets: tuple[str, ...]) -> Schema:
        """What `reference` and `type` of a reference may say, by the types it may point at."""
        allowed = sorted(targets or self.guards["resources"])
        of_type = f"(?:https?://\\S+/)?(?:{'|'.join(allowed)})(?:/{_ID}{_HISTORY}|\\?\\S+)"
        pattern = f"^(?:{of_type}|{_OPAQUE}|{_ELSEWHERE})$"
        definition: Schema = {"properties": {"reference": {"type": "string", "pattern": pattern}}}
        if targets:
            full = [f"http://hl7.org/fhir/StructureDefinition/{target}" for target in allowed]
            definition["properties"]["type"] = {"enum": allowed + full}
        # A second $ref in one schema is not possible; allOf carries it.
        return {"allOf": [self._shared("to", definition)]}

    def _shared(self, kind: str, definition: Schema) -> Schema:
        """A definition many elements share, under a short name."""
        name = self.shared.setdefault(json.dumps(definition), f"{kind}.{len(self.shared)}")
        self.definitions[name] = definition
        return {"$ref": f"#/$defs/{name}"}

    def _primitive(self, name: str) -> Schema:
        self.definitions.setdefault(f"p.{name}", self.primitives[name])
        return {"$ref": f"#/$defs/p.{name}"}

    def _or_gap(self, item: Schema) -> Schema:
        """An item of a list of primitives: null stands for a gap, judged beside its sibling in `siblings`."""
        if "enum" in item:
            return {"enum": [*item["enum"], None]}
        if "$ref" in item:
            item = self.definitions[item["$ref"].removeprefix("#/$defs/")]
        return {**item, "type": [item["type"], "null"]}

    @staticmethod
    def _many(item: Schema) -> Schema:
        return {"type": "array", "minItems": 1, "items": item}

    @staticmethod
    def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
        schema: Schema = {"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": False}
        return {**schema, "required": required} if required else schema


def _referred(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].removeprefix("#/$defs/")] if isinstance(schema.get("$ref"), str) else []
        return own + [name for value in schema.values() for name in _referred(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _referred(value)]
    return []


def main() -> None:
    """Write the schema file; the same metadata gives the same bytes."""
    written = json.dumps(Compiler().compile(), separators=(",", ":"), sort_keys=True).encode()
    SCHEMA_FILE.write_bytes(gzip.compress(written, mtime=0))


if __name__ == "__main__":
    main()

"""Valid resources of any R4 type made from the compiled schema: the smallest one, and arbitrary ones for hypothesis."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import slipring.fhir.checks

Resource = dict[str, Any]
_FILE = Path(slipring.fhir.checks.__file__).parent / "r4.schema.json.gz"
_TARGETS = re.compile(r"\(\?:([A-Z][A-Za-z|]+)\)\(\?:/")

_UNFINISHED = ("draft", "entered-in-error")  # what no rule protects

# One fitting value of each primitive type; instants carry an offset as FHIR asks.
PRIMITIVES: dict[str, Any] = {
    "base64Binary": "c2xpcHJpbmc=",
    "boolean": True,
    "canonical": "http://example.org/fhir/one|1",
    "code": "one",
    "date": "2026-03-02",
    "dateTime": "2026-03-02T09:30:00+08:00",
    "decimal": 1.5,
    "id": "one",
    "instant": "2026-03-02T09:30:00+08:00",
    "integer": 1,
    "markdown": "one",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "one",
    "time": "09:30:00",
    "unsignedInt": 1,
    "uri": "http://example.org/one",
    "url": "http://example.org/one",
    "uuid": "urn:uuid:6f1f1f0a-0c6e-4a53-9c8e-0d3c7a9f0001",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">one</div>',
}


@cache
def definitions() -> dict[str, Any]:
    """The compiled schema's definitions by name."""
    return dict(msgspec.json.decode(gzip.decompress(_FILE.read_bytes()))["definitions"])


def smallest(resource_type: str) -> Resource:
    """A valid resource of a type with nothing in it that is not required."""
    return _object(resource_type)


def demanded(name: str) -> list[str]:
    """The members a type requires; of a choice the first that is offered."""
    definition = definitions()[name]
    found = list(definition.get("required", ()))
    for rule in definition.get("allOf", ()):
        for member in rule.get("else", {}).get("required", ()):
            found.append(_first_choice(rule["if"], member) if member.endswith("[x]") else member)
    return found


def value(schema: dict[str, Any]) -> Any:
    """A value that fits one property of a definition."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next((code for code in schema["enum"] if code not in _UNFINISHED), schema["enum"][0])
    if schema.get("type") == "array":
        return [value(schema["items"])]
    name = schema.get("$ref", "").rpartition("/")[2]
    if name.startswith("p."):
        return PRIMITIVES[name[2:]]
    if name == "Reference":
        return {"reference": f"{_target(schema)}/1"}
    made = _object(name)
    if len(made) == 0:
        made = _filled(name)
    return made


def targets(schema: dict[str, Any]) -> list[str]:
    """The types a reference may point at; empty for any."""
    found: list[str] = []
    for rule in schema.get("allOf", ()):
        to = definitions()[rule["$ref"].rpartition("/")[2]]
        match = _TARGETS.search(to.get("properties", {}).get("reference", {}).get("pattern", ""))
        found += match[1].split("|") if match else []
    return found


def _target(schema: dict[str, Any]) -> str:
    possible = targets(schema)
    return "Patient" if not possible or "Patient" in possible else possible[0]


def _object(name: str) -> Resource:
    properties = definitions()[name]["properties"]
    return {member: value(properties[member]) for member in demanded(name)}


def _filled(name: str) -> Resource:
    """An empty object is not allowed: give it one primitive, or else its first member."""
    properties = definitions()[name]["properties"]
    for member in ("text", "value", "reference", "url", *properties):
        schema = properties.get(member, {})
        if schema.get("$ref", "").startswith("#/$defs/p.") and not member.startswith("_"):
            return {member: value(schema)}
    member = next(member for member in properties if member not in ("extension", "id") and member[0] != "_")
    return {member: value(properties[member])}


def _first_choice(condition: dict[str, Any], member: str) -> str:
    offered = [name for rule in condition.get("anyOf", [condition]) for name in rule["required"]]
    stem = member.removesuffix("[x]")
    for wish in (f"{stem}CodeableConcept", f"{stem}DateTime", f"{stem}Reference"):
        if wish in offered:
            return wish
    return next(name for name in offered if not name.startswith("_"))

"""The parts that an OpenAPI document refers to: parameters with the form of their values, and a sketch of each type."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from slipring.fhir.checks import schema

Tree = dict[str, Any]


@cache
def told() -> Mapping[str, Any]:
    """What `openapi.toml` says: statuses, headers and parameters of each interaction."""
    return tomllib.loads(files("slipring.fhir.interactions").joinpath("openapi.toml").read_text(encoding="utf-8"))


def common_parameters() -> Tree:
    """Headers and the parameters about the answer."""
    said = told()
    found = {name: _parameter(name, "header", *said["header"][name]) for name in said["header"]}
    return found | {name: _parameter(name, "query", *said["query"][name]) for name in said["query"]}


def searched(resource: Tree) -> Tree:
    """The search parameters of a type, named `Type.code`."""
    found: Tree = {}
    for stated in resource.get("searchParam", ()):
        says, pattern = told()["value"][stated["type"]]
        whole = " ".join(part for part in (says, stated.get("documentation", "")) if part)
        found[f"{resource['type']}.{stated['name']}"] = _parameter(stated["name"], "query", whole, pattern)
    return found


def _parameter(name: str, where: str, says: str, pattern: str) -> Tree:
    shape: Tree = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": where, "description": says, "schema": shape}


def schemas(rest: Tree) -> Tree:
    """One shape per type: its elements and which are required; the exact rules are FHIR's and stay at the server."""
    types = {resource["type"] for resource in rest["resource"]}
    named = {*types, "Bundle", "OperationOutcome", "Parameters", "CapabilityStatement"}
    step = {"op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]}, "path": {"type": "string"}}
    return {name: _shape(name) for name in sorted(named)} | {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
        "Resource": {
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string"}},
        },
        "JsonPatch": {"type": "array", "items": {"type": "object", "required": ["op", "path"], "properties": step}},
    }


def _shape(name: str) -> Tree:
    properties, required = schema.outline(name)
    return {"type": "object", "required": required, "properties": {"resourceType": {"const": name}, **properties}}


def ref(kind: str, name: str) -> Tree:
    """A reference to one of these parts."""
    return {"$ref": f"#/components/{kind}/{name}"}


def shown(shape: Tree) -> Tree:
    """The content of an answer, in the type that the client prefers."""
    return {kind: {"schema": shape} for kind in ("application/fhir+json", "application/json")}

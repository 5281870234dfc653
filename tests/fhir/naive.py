"""Search the slow way, written from the specification alone: HL7's FHIRPath expressions over whole resources.

`r4_search_expressions.json` holds type and expression of each official R4 parameter (4.0.1, HL7, CC0-1.0) of our types. Nothing
here knows the indexer, its rows or its compiled paths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from tests.fhir.naive_values import meets, present, token_meets

Resource = dict[str, Any]
OFFICIAL: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("r4_search_expressions.json").read_text(encoding="utf-8")
)
_RESOLVED = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
_KNOWN: dict[tuple[str, str, str], list[Any]] = {}


def _spelled(expression: str) -> str:
    """The expression as the library reads it: `as` on several values is `ofType`.

    `as uri` asks for the member itself: `canonical`, a kind of uri, has a parameter of its own.
    """
    expression = re.sub(r"\(([\w.]+) as uri\)", r"\1Uri", expression)
    text = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.ofType(\2)", expression)
    return re.sub(r"\.as\((\w+)\)", r".ofType(\1)", text).replace("ofType(DateTime)", "ofType(dateTime)")


@cache
def _compiled(expression: str) -> Any:
    return fhirpathpy.compile(_spelled(expression), models["r4"])


def _values(resource: Resource, expression: str) -> list[Any]:
    found: list[Any] = []
    for part in expression.split(" | "):
        wanted = _RESOLVED.findall(part)
        values = _compiled(_RESOLVED.sub("", part))(resource)
        found += [value for value in values if not wanted or _names(value, wanted[0])]
    return found


def _inside(element: Resource, root: str, expression: str) -> list[Any]:
    """Values of an expression that starts at an element of a resource."""
    root = "UsageContext" if root.endswith(".useContext") else root  # the element's own type knows its choices
    asked = (_spelled(part) for part in expression.split(" | "))
    return [
        v
        for part in asked
        for v in fhirpathpy.evaluate(element, {"base": root, "expression": part}, model=models["r4"])
    ]


def _once(resource: Resource, code: str, made: Callable[[], list[Any]]) -> list[Any]:
    """What was evaluated for a resource and parameter before: ids are not used twice within a type."""
    key = resource["resourceType"], resource["id"], code
    if key not in _KNOWN:
        _KNOWN[key] = made()
    return _KNOWN[key]


def _names(reference: Any, wanted: str) -> bool:
    """Whether a reference is to a resource of the type, or leaves open of which."""
    if not isinstance(reference, dict):
        return False
    literal = reference.get("reference", "")
    named = re.search(r"([A-Z]\w+)/[^/]+(?:/_history/[^/]+)?$", literal)
    if named or literal:
        return (named[1] if named else reference.get("type")) == wanted
    return reference.get("type", wanted) == wanted


def finds(resource: Resource, code: str, modifier: str, text: str) -> bool:
    """Whether a search by one parameter finds the resource."""
    official = OFFICIAL[resource["resourceType"]].get(code) or OFFICIAL["Resource"][code]
    expression, kind = official["expression"].removeprefix("Resource."), official["type"]
    if kind == "composite":
        pairs = _once(resource, code, lambda: _pairs(resource, official))
        return any(_composed(*pair, one) for pair in pairs for one in text.split(","))
    values = _once(resource, code, lambda: _values(resource, expression))
    if modifier == "missing":
        return (text == "true") is not present(values, kind)
    hit = any(meets(value, kind, modifier, one) for value in values for one in text.split(","))
    return not hit if modifier == "not" else hit


def _pairs(resource: Resource, official: Resource) -> list[Any]:
    """Of each element that a composite's expression leads to: the codes, the other values, their type."""
    code, value = official["components"]
    return [
        (_inside(element, root, code), _inside(element, root, value), _kind_of(value))
        for root in official["expression"].split(" | ")
        for element in _values(resource, root)
    ]


def _composed(codes: list[Any], others: list[Any], kind: str, text: str) -> bool:
    """R4: both parts in one element."""
    first, _, second = text.partition("$")
    return any(token_meets(one, "", first) for one in codes) and any(meets(one, kind, "", second) for one in others)


def _kind_of(expression: str) -> str:
    """The type of a composite's second part, by its expression."""
    if expression == "target":
        return "reference"
    if "Quantity" in expression:
        return "quantity"
    if "CodeableConcept" in expression:
        return "token"
    return "date" if "DateTime" in expression else "string"


def found(resources: Iterable[Resource], code: str, modifier: str, text: str) -> set[str]:
    """The ids of the resources that a search by one parameter finds."""
    return {resource["id"] for resource in resources if finds(resource, code, modifier, text)}

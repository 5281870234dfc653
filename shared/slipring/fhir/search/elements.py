"""The elements of each type, and which of them a summary keeps: read from `elements.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Element:
    """One JSON member: whether a summary keeps it, whether it is mandatory, and the structure to look into, if any.

    `choice` is `value` for `valueQuantity`.
    """

    summary: bool
    mandatory: bool
    inside: str = ""
    choice: str = ""


@cache
def elements_of(structure: str) -> Mapping[str, Element]:
    """The members of a resource type, or of a part that a summary does not keep whole; empty for any other name."""
    found = {}
    for member, written in _compiled().get(structure, {}).items():
        marks, _, inside = written.partition(":")
        flags, _, choice = marks.partition("=")
        found[member] = Element("s" in flags, "m" in flags, inside, choice)
    return found


@cache
def names_of(resource_type: str) -> frozenset[str]:
    """What `_elements` may name: the JSON members, and `value` for all of `valueQuantity`, `valueString`, ..."""
    members = elements_of(resource_type)
    return frozenset(members) | {element.choice for element in members.values() if element.choice}


@cache
def _compiled() -> dict[str, dict[str, str]]:
    text = files("slipring.fhir.search").joinpath("elements.json").read_text(encoding="utf-8")
    compiled: dict[str, dict[str, str]] = json.loads(text)
    return compiled

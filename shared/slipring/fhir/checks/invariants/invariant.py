"""What an invariant is here: FHIR's key, the type it is stated on, and a plain predicate over the JSON of that type.

A predicate answers True when the invariant holds, False when it does not, or the rest of the path (`.entry[2]`) when it
can say where. It may rely on the shape: it is asked of what the schema has let pass. Texts stand in `texts.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Node = Mapping[str, Any]
Predicate = Callable[[Node], bool | str]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant: `of` is a type (`Period`, `ObservationComponent`) or one use of it (`Range.low`)."""

    key: str
    of: str
    holds: Predicate
    severity: Literal["error", "warning"]
    en: str
    zh: str


_found: dict[tuple[str, str], Invariant] = {}


@cache
def _texts() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))


def invariant(key: str, *of: str) -> Callable[[Predicate], Predicate]:
    """Declare a predicate as an invariant of these types."""

    def declare(predicate: Predicate) -> Predicate:
        for name in of:
            said = _texts()["SimpleQuantity" if key == "sqty-1" else name][key]
            severity: Literal["error", "warning"] = "warning" if said.get("severity") == "warning" else "error"
            _found[name, key] = Invariant(key, name, predicate, severity, said["en"], said["zh"])
        return predicate

    return declare


def declared() -> Mapping[tuple[str, str], Invariant]:
    """Every invariant that has a predicate, by type and key."""
    return _found


# --- reading a node -----------------------------------------------------------------------------------------


def given(node: Node, name: str) -> bool:
    """FHIRPath exists(): the element has a value or, for a primitive, at least an extension."""
    return name in node or f"_{name}" in node


def chosen(node: Node, stem: str) -> bool:
    """exists() of an element with a choice of types: `value` finds valueQuantity and _valueString."""
    size = len(stem)
    for key in node:
        name = key[1:] if key[0] == "_" else key
        if name.startswith(stem) and name[size : size + 1].isupper():
            return True
    return False


def coded(concept: Any, system: str, *codes: str) -> bool:
    """Whether a CodeableConcept holds one of these codes of a system."""
    codings = concept.get("coding", ()) if concept else ()
    return any(coding.get("system") == system and coding.get("code") in codes for coding in codings)

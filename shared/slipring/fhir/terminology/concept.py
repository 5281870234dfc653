"""What a code is, and the two ways to list codes: a code system defines them, a value set chooses some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Concept:
    """One code of one system; `display` is English, `zh` the Chinese name where there is one."""

    system: str
    code: str
    display: str = ""
    zh: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """System and code, by which codes are compared."""
        return self.system, self.code


@dataclass(frozen=True)
class CodeSystem:
    """A code system that is defined here: its address and all of its codes, or of a fragment those we use."""

    url: str
    name: str
    title: str
    concepts: tuple[Concept, ...]
    zh: str = ""
    version: str = "1"
    fragment: bool = False  # True: an official system of which only the codes of required bindings are kept

    @cached_property
    def by_code(self) -> dict[str, Concept]:
        """Each concept by its code."""
        return {concept.code: concept for concept in self.concepts}

    def together_with(self, other: CodeSystem) -> CodeSystem:
        """The same system with the codes of both; two services may each use some of a shared one."""
        found = {concept.code: concept for concept in (*self.concepts, *other.concepts)}
        return CodeSystem(
            self.url, self.name, self.title, tuple(found.values()), self.zh or other.zh, self.version, self.fragment
        )


@dataclass(frozen=True)
class ValueSet:
    """The codes a value set holds, in the order of its definition."""

    url: str
    name: str
    title: str
    concepts: tuple[Concept, ...]
    zh: str = ""
    version: str = "1"
    whole: frozenset[str] = field(default_factory=frozenset)  # systems that it takes in full

    @cached_property
    def codes(self) -> frozenset[tuple[str, str]]:
        """Every (system, code)."""
        return frozenset(concept.key for concept in self.concepts)

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """The systems its codes come from, in order."""
        return tuple(dict.fromkeys(concept.system for concept in self.concepts))

    def of_system(self, system: str) -> Iterator[Concept]:
        """Its codes of one system."""
        return (concept for concept in self.concepts if concept.system == system)

    def find(self, code: str, system: str = "") -> Concept | None:
        """The concept with this code; without a system the first one that has it."""
        return next((c for c in self.concepts if c.code == code and system in ("", c.system)), None)

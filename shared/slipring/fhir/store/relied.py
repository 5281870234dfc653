"""What a decision looked at in the store, as values: it must still stand when the decision is committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.pointed import Pointed


@dataclass(frozen=True, slots=True)
class Unreferred:
    """That nothing refers to a resource by these parameters (`Type.code`), save what the act itself writes anew."""

    reference: str
    keys: tuple[str, ...]
    leaving: frozenset[str]


@dataclass(slots=True)
class Relied:
    """The versions a handler saw (0: there was none) and what its searches found, as references."""

    versions: dict[str, int] = field(default_factory=dict)
    searches: list[tuple[Criteria, frozenset[str]]] = field(default_factory=list)
    pointed: dict[Pointed, frozenset[str]] = field(default_factory=dict)
    unreferred: list[Unreferred] = field(default_factory=list)
    armed: set[str] = field(default_factory=set)  # keys of timers that have not fired

    def __bool__(self) -> bool:
        """Whether anything was looked at."""
        return bool(self.versions or self.searches or self.pointed or self.unreferred or self.armed)

    def saw(self, reference: str, version: int) -> None:
        """A version was read; of two, the first is what the decision began with."""
        self.versions.setdefault(reference, version)

    def found(self, search: Criteria | Pointed, references: Iterable[str]) -> None:
        """A search was asked; of two answers to the same, the first is what the decision began with."""
        if isinstance(search, Pointed):
            self.pointed.setdefault(search, frozenset(references))
        else:
            self.searches.append((search, frozenset(references)))

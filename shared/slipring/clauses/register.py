"""The register: every clause of CNAS-CL02-A011:2018 with what it asks and what answers it.

A clause is named by a label: `CL02-A011:5.4.1`, or shortly `5.4.1`; a rule of another document by that document's own
label, as `MOH46:26(3)`. Rules, rows of lifecycles, refusals and tests name clauses; what they name is listed here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

_REGISTER = Path(__file__).with_name("register.toml")
_BEYOND = Path(__file__).with_name("beyond.toml")
DOCUMENT = "CL02-A011"
_SAME_NUMBERS = (DOCUMENT, "CL02")  # the application document keeps the numbers of the standard it applies
KINDS = ("gate", "record", "clock", "measure", "registry", "promise", "procedure")
SERVICES = ("order", "consent", "report", "critical", "qc", "all")


class UnreadableRegister(ValueError):
    """The register's file says what it cannot mean; the message names the row."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One row: the numbers it stands for, what they ask, who answers and with which evidence."""

    id: str
    numbers: tuple[str, ...]
    iso2022: tuple[str, ...]
    kinds: tuple[str, ...]
    services: tuple[str, ...]
    asks: Words
    answer: Words
    evidence: tuple[str, ...]

    def answered_by(self, service: str) -> bool:
        """Whether this service answers for the row, by name or as one of all."""
        return service in self.services or (bool(service) and "all" in self.services)

    def is_named_by(self, number: str) -> bool:
        """Whether a number without its document's name means this row or a part of it."""
        return any(own == number or own.startswith(f"{number} ") for own in self.numbers)


@dataclass(frozen=True, slots=True)
class Register:
    """One edition of the standard, row by row, in its own order."""

    edition: str
    valid_from: date
    source: str
    clauses: tuple[Clause, ...]

    def of(self, service: str) -> list[Clause]:
        """The rows that a service answers for by name."""
        return [clause for clause in self.clauses if service in clause.services]


@cache
def register() -> Register:
    """The register in force.

    >>> register().edition
    'CNAS-CL02-A011:2018'
    """
    return register_of(tomllib.loads(_REGISTER.read_text("utf-8")))


def register_of(tree: Mapping[str, Any]) -> Register:
    """Read the register from its tree; UnreadableRegister names the row that is wrong."""
    clauses = tuple(_clause(entry) for entry in tree["clause"])
    ids = [clause.id for clause in clauses]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise UnreadableRegister(f"listed twice: {', '.join(sorted(twice))}")
    return Register(tree["edition"], tree["valid_from"], tree["source"], clauses)


@cache
def beyond() -> Mapping[str, Words]:
    """The rules of other documents by label."""
    listed = tomllib.loads(_BEYOND.read_text("utf-8"))["clause"]
    return {label: Words(entry["zh"], entry["en"]) for label, entry in listed.items()}


def named_by(label: str, service: str = "") -> tuple[Clause, ...]:
    """The rows of the register that a label means, empty for an unknown one.

    A number that is a row's own means that row only; a number above it (`4.13`) means the rows of its parts. Where
    several rows bear the number, a service that names it means those it answers for.

    >>> [clause.id for clause in named_by("CL02-A011:4.13")]
    ['4.13 d', '4.13 +']
    """
    document, divided, number = label.partition(":")
    if not divided:
        document, number = DOCUMENT, label
    if document not in _SAME_NUMBERS:
        return ()
    clauses = register().clauses
    exact = [clause for clause in clauses if number in (clause.id, *clause.numbers)]
    wider = [clause for clause in clauses if clause.is_named_by(number)]
    own = [[clause for clause in found if clause.answered_by(service)] for found in (exact, wider)]
    return tuple(next((found for found in (*own, exact, wider) if found), ()))


def is_known(label: str) -> bool:
    """Whether a label names a row of the register or a listed rule of another document."""
    return bool(named_by(label)) or label in beyond()


def _clause(entry: Mapping[str, Any]) -> Clause:
    strange = [
        *(kind for kind in entry["kinds"] if kind not in KINDS),
        *(service for service in entry["services"] if service not in SERVICES),
    ]
    if strange or not entry["kinds"]:
        raise UnreadableRegister(f"clause {entry['id']}: {', '.join(strange) or 'no kind'}")
    return Clause(
        entry["id"],
        tuple(entry["numbers"]),
        tuple(entry["iso2022"]),
        tuple(entry["kinds"]),
        tuple(entry["services"]),
        Words(entry["zh"], entry["en"]),
        Words(**entry["answer"]),
        tuple(entry["evidence"]),
    )

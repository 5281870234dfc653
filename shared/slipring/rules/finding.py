"""What a rule says when it fires: a value, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Weight(StrEnum):
    """How much a finding weighs: it stops, it asks, it warns, or it only informs."""

    STOP = "stop"
    ASK = "ask"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number or list in force on a day, with where it comes from and whether the department confirmed it."""

    id: str
    value: Any
    source: str
    confidence: str  # S, S2: read in the source; R: recalled; U: ours
    since: date
    unit: str = ""
    confirmed: bool = True
    of: str = ""  # the version of the department's own set that it stands in; empty: as shipped

    @property
    def version(self) -> str:
        """The version of the set it stands in; what was shipped has no other than the day it came into force."""
        return self.of or self.since.isoformat()


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule function returns when it fires; `check` makes a Finding of it.

    `weight` lowers or raises the rule's own weight for this hit, as J15 does for the green channel.
    """

    zh: str
    en: str
    at: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    limit: Limit | None = None
    weight: Weight | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One fired rule: which, in which version, under which clause, what it saw, and in words."""

    rule: str
    version: str
    clause: str
    weight: Weight
    zh: str
    en: str
    at: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    limit: Limit | None = None
    domain: str = ""  # the department's own number of the rule, such as J01
    softened: bool = False  # it would have stopped, but rests on a number that nobody has confirmed

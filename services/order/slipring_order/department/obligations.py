"""What the department must have, renew and check, as `obligations.toml` lists it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Of = Literal["person", "device", "department"]
Carrier = Literal["qualification", "answers", "document", "device", "test", "comparison"]


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing that is owed: by whom, how it is recorded, and how long a record holds."""

    code: str
    of: Of
    carried: Carrier
    clause: str
    zh: str
    en: str
    every: str = ""  # id of the limit with the interval in calendar months; "" = the record's own end counts
    by: frozenset[str] = frozenset()  # duties of people, kinds of devices
    required: bool = False  # whether its absence is told


@cache
def obligations() -> tuple[Obligation, ...]:
    """Every obligation in the order of the file."""
    with Path(__file__).with_name("obligations.toml").open("rb") as file:
        entries = tomllib.load(file)["obligation"]
    return tuple(Obligation(**{**entry, "by": frozenset(entry.get("by", ()))}) for entry in entries)


def carried_by(carrier: Carrier) -> dict[str, Obligation]:
    """The obligations recorded in one way, by code."""
    return {one.code: one for one in obligations() if one.carried == carrier}

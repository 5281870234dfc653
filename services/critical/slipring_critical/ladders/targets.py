"""Whom a step of a ladder can ring, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slipring.fhir.service import CANONICAL

TARGET = f"{CANONICAL}/CodeSystem/ladder-target"
_FILE = Path(__file__).parents[1] / "data" / "targets.toml"


@dataclass(frozen=True, slots=True)
class Target:
    """One target; `found`: person (from the order), place (where the patient lies), office (whoever is on call)."""

    code: str
    zh: str
    en: str
    found: str


@cache
def targets() -> Mapping[str, Target]:
    """All targets by code, in the order of the file."""
    written = tomllib.loads(_FILE.read_text("utf-8"))["targets"]
    return {code: Target(code, **entry) for code, entry in written.items()}


def offices() -> list[str]:
    """The targets for which somebody is on call."""
    return [code for code, one in targets().items() if one.found == "office"]

"""The ways a person can be told or can answer, and the words of the message, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[1] / "data" / "media.toml"


@dataclass(frozen=True, slots=True)
class Medium:
    """One way to be told; `rings` when this service delivers by it."""

    code: str
    zh: str
    en: str
    rings: bool = False


@cache
def media() -> Mapping[str, Medium]:
    """All media by code."""
    return {entry["code"]: Medium(**entry) for entry in _written()["medium"]}


def message_text(language: str) -> str:
    """What the message says before the receiver has identified himself."""
    return str(_written()["message"][language])


def retraction_text(language: str) -> str:
    """What whoever was told of a finding is told when it is retracted."""
    return str(_written()["retraction"][language])


def offer_text(language: str) -> str:
    """What somebody is told to whom a case is to be handed over."""
    return str(_written()["offer"][language])


def drill_text(language: str) -> str:
    """What every message of a drill begins with."""
    return str(_written()["drill"][language])


@cache
def _written() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))

"""The ways a person can be told or can answer, and the words of the message, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).parents[1] / "data" / "media.toml"
# Told of a finding, of its retraction, asked to take the case over, told that somebody has answered; or the route itself
# is proven by a code, or tested.
Kind = Literal["message", "retraction", "offer", "answered", "code", "test"]


@dataclass(frozen=True, slots=True)
class Medium:
    """One way to be told; `rings` when this service delivers by it, `device` when a device rings that is told to stop."""

    code: str
    zh: str
    en: str
    rings: bool = False
    device: bool = False
    limit: int = 0  # characters of text and link together; 0 = as many as there are


@cache
def media() -> Mapping[str, Medium]:
    """All media by code."""
    return {entry["code"]: Medium(**entry) for entry in _written()["medium"]}


def text_of(kind: Kind, language: str, *, drill: bool = False, code: str = "", who: str = "") -> str:
    """What is said before the receiver has identified himself; a drill says so first. `who` has answered."""
    return drill_mark(language, drill=drill) + _filled(str(_written()[kind][language]), language, code, who)


def short_text(
    kind: Kind, medium: str, language: str, link: str, *, drill: bool = False, hint: str = "", code: str = "",
    who: str = "",
) -> str:  # fmt: skip
    """Text and link as one medium carries them: the usual words, or brief ones where those do not fit.

    `hint` says how the message may be answered without the link.

    The link is never cut: half of it leads nowhere. What is still too long goes out whole, as two messages if need be.
    """
    link = f"{link} {hint}".strip()
    usual = f"{text_of(kind, language, drill=drill, code=code, who=who)} {link}".strip()
    limit = media()[medium].limit
    if not limit or len(usual) <= limit:
        return usual
    brief = _filled(str(_written()["brief"][kind][language]), language, code, who)
    return f"{drill_mark(language, drill=drill)}{brief} {link}".strip()


def _filled(words: str, language: str, code: str, who: str) -> str:
    return words.replace("{code}", code).replace("{who}", who or str(_written()["answered"]["not-named"][language]))


def drill_mark(language: str, *, drill: bool) -> str:
    """What stands before the words of a drill; nothing before those of the real thing."""
    return str(_written()["drill"][language]) if drill else ""


def languages() -> tuple[str, ...]:
    """In which the words are written."""
    return tuple(_written()["message"])


@cache
def _written() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))

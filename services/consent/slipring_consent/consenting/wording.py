"""The texts that this service ships for patients: one file per version and language, the newest in force is shown."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

_FOLDER = "consent_texts"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the text: a heading, paragraphs, and a list."""

    id: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of the text in one language, before it is filled in for an exam."""

    id: str
    version: str
    language: str
    effective_from: date
    title: str
    absent: str  # what stands where nothing is known
    separator: str
    labels: Mapping[str, str]
    genders: Mapping[str, str]
    routes: Mapping[str, str]
    sections: tuple[Section, ...]

    @property
    def name(self) -> str:
        """The version by which it is known: `iodinated-contrast|1`."""
        return f"{self.id}|{self.version}"


def languages(day: date) -> list[str]:
    """The languages in which a text is in force on this day."""
    return sorted({one.language for one in _wordings() if one.effective_from <= day})


def wording(language: str, day: date) -> Wording | None:
    """The newest text in force in this language, or in the one it is a dialect of; None when there is none.

    `en-GB` is answered in `en`, `zh` in `zh-CN`.
    """
    in_force = [one for one in _wordings() if one.effective_from <= day and _serves(one.language, language)]
    return max(in_force, key=lambda one: (one.effective_from, int(one.version)), default=None)


def _serves(held: str, asked: str) -> bool:
    one, other = held.lower(), asked.lower()
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


@cache
def _wordings() -> Sequence[Wording]:
    folder = files("slipring_consent").joinpath("data", _FOLDER)
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return [_read(tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))) for name in found]


def _read(tree: Mapping[str, Any]) -> Wording:
    sections = tuple(
        Section(one["id"], one["heading"], tuple(one.get("paragraphs", ())), tuple(one.get("items", ())))
        for one in tree["section"]
    )
    names = (
        "id",
        "version",
        "language",
        "effective_from",
        "title",
        "absent",
        "separator",
        "labels",
        "genders",
        "routes",
    )
    return Wording(**{name: tree[name] for name in names}, sections=sections)

"""Which groups of indications a reason belongs to, what fits a region, and what asks for several phases."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_EVERYWHERE = "*"


def groups_of(texts: Iterable[str], codes: Iterable[str]) -> frozenset[str]:
    """The groups that words and ICD-10 codes name; none when nothing is recognised, and none for what is denied.

    >>> sorted(groups_of(["右膝疼痛，无发热"], []))
    ['limb']
    """
    said = [_asserted(text) for text in texts]
    coded = [code.upper() for code in codes]
    return frozenset(
        name
        for name, group in _groups().items()
        if any(_patterns()[name].search(text) for text in said)
        or any(code.startswith(start) for code in coded for start in group["icd10"])
    )


def fits(group: str, regions: frozenset[str]) -> bool:
    """Whether an indication of this group is a reason to scan any of these regions."""
    allowed = set(_groups()[group]["regions"])
    return _EVERYWHERE in allowed or bool(allowed & regions)


def warrants_phases(groups: Iterable[str]) -> bool:
    """Whether more than one phase is the usual protocol for one of these groups."""
    return any(_groups()[group].get("multiphase", False) for group in groups)


def purpose_of(texts: Iterable[str], codes: Iterable[str] = ()) -> str:
    """The purpose that a reason states when it is nothing but that: "体检" is one, "体检发现肺结节" is a complaint.

    >>> purpose_of([], ["Z00.1"]), purpose_of(["咳嗽"], ["Z00.1"])
    ('health-check', '')
    """
    said = {text.casefold().strip(" .。，,；;") for text in texts}
    coded = {code.upper() for code in codes}
    for purpose, table in _data()["purposes"].items():
        others = [code for code in coded if not code.startswith(tuple(table["icd10"]))]
        if (said or coded) and said <= set(table["words"]) and not others:
            return str(purpose)
    return ""


def table_version() -> str:
    """The version of the table."""
    return str(_data()["version"])


def asks_for_phases(codes: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether exam codes or words ask for more than one phase."""
    table = _data()["multiphase"]
    said = [text.casefold() for text in texts]
    return bool(set(codes) & set(table["loinc"])) or any(word in text for text in said for word in table["words"])


def _asserted(text: str) -> str:
    """What a reason says without what it denies."""
    return _denied().sub(" ", unicodedata.normalize("NFKC", text).casefold())


def _groups() -> Mapping[str, Mapping[str, Any]]:
    groups: Mapping[str, Mapping[str, Any]] = _data()["groups"]
    return groups


def _pattern(words: Iterable[str]) -> str:
    """Chinese words stand anywhere, Latin ones at the beginning of a word."""
    return "|".join(rf"(?<![a-z]){re.escape(word)}" if word.isascii() else re.escape(word) for word in words)


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(_pattern(group["words"])) for name, group in _groups().items()}


@cache
def _denied() -> re.Pattern[str]:
    table, known = _data()["negation"], [word for group in _groups().values() for word in group["words"]]
    following = "|".join(re.escape(word) for word in known)
    return re.compile("|".join([*table["phrases"], f"{table['next_word']}(?:{following})"]))


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "indications.toml").open("rb") as file:
        return tomllib.load(file)

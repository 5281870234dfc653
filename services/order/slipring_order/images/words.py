"""Regions by words, in both languages; weaker than codes, so they ask and do not stop."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring_order import catalogue

_WORDS = Path(__file__).parents[1] / "data" / "body_words.toml"


def regions_in(texts: Iterable[str]) -> frozenset[str]:
    """The regions that these texts name."""
    said = " ".join(unicodedata.normalize("NFKC", text).casefold() for text in texts)
    return frozenset(name for name, words in _patterns().items() if words.search(said))


def shown_by(parts: Iterable[str]) -> frozenset[str]:
    """The regions that images labelled with these codes show: those the codes stand for, and what lies in them."""
    coded = list(parts)
    named = catalogue.regions_of(coded) | {r for part in coded for r in _data()["wider"].get(part.upper(), ())}
    return named | {inner for region in named for inner in _data()["holds"].get(region, ())}


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Chinese words stand anywhere; Latin ones only as whole words."""
    return {
        name: re.compile("|".join([*map(re.escape, entry["zh"]), *(rf"(?<![a-z]){w}(?![a-z])" for w in entry["en"])]))
        for name, entry in _data()["regions"].items()
    }


@cache
def _data() -> Mapping[str, Any]:
    with _WORDS.open("rb") as file:
        return tomllib.load(file)

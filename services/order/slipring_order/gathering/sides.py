"""Which side a request or an examination is of, and whether it is of the whole body."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource

from slipring_order.reading import codes, codings

_BOTH = frozenset({"left", "right"})


def sides_of(resource: Resource) -> frozenset[str]:
    """The sides that body sites and series laterality name; both where both are named, none where nothing is."""
    found: set[str] = set()
    for concept in _sites(resource):
        found |= _sides(codes(concept), _words(concept))
    for series in resource.get("series", []):
        for coding in filter(None, (series.get("laterality"), series.get("bodySite"))):
            found |= _sides([str(coding.get("code", ""))], [str(coding.get("display", ""))])
    return frozenset(found)


def sides_named(found: Iterable[str], texts: Iterable[str]) -> frozenset[str]:
    """The sides that codes and words name, both where both are."""
    return _sides(found, [text.casefold() for text in texts])


def regions_of_sides(sites: Iterable[str]) -> frozenset[str]:
    """The regions of lateralised site codes."""
    wanted = set(sites)
    return frozenset(region for region, held in _data()["regions"].items() if wanted & set(held))


def is_whole_body(resource: Resource, regions: frozenset[str]) -> bool:
    """Whether the whole body is asked for: by a body site, in words, or by all regions of the trunk."""
    table = _data()["whole-body"]
    concepts = [*_sites(resource), resource.get("code") or {}]
    named = any(code in table["codes"] for concept in concepts for code in codes(concept))
    said = any(word in text for concept in concepts for text in _words(concept) for word in table["words"])
    return named or said or regions >= set(table["regions"])


def _sides(found: Iterable[str], texts: Iterable[str]) -> frozenset[str]:
    written = {code.upper() for code in found}
    named = {side for side, held in _data()["sides"].items() if written & set(held)}
    named |= {side for side, words in _data()["words"].items() for text in texts if _says(text, words)}
    return _BOTH if "both" in named else frozenset(named)


def _says(text: str, words: Iterable[str]) -> bool:
    """Latin words stand alone ("brightness" names no side), Chinese ones may stand anywhere."""
    return any(re.search(rf"\b{word}\b", text) if word.isascii() else word in text for word in words)


def _sites(resource: Resource) -> list[Mapping[str, Any]]:
    held = resource.get("bodySite", [])
    return held if isinstance(held, list) else [held]


def _words(concept: Mapping[str, Any]) -> list[str]:
    return [
        str(text).casefold()
        for text in (concept.get("text"), *(coding.get("display") for coding in codings(concept)))
        if text
    ]


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "sides.toml").open("rb") as file:
        return tomllib.load(file)

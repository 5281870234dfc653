"""The value sets of R4's required bindings with the names of their codes, from the data files beside this module."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.terminology.concept import CodeSystem, Concept, ValueSet

CODES_FILE = Path(__file__).parent / "r4_codes.toml"
_NAMES_FILE = Path(__file__).parent / "r4_names.json"
_VERSION = "4.0.1"


def bindings() -> list[dict[str, Any]]:
    """Each value set as it stands in the data file: url, included codes, and the elements bound to it."""
    return list(tomllib.loads(CODES_FILE.read_text(encoding="utf-8"))["value_set"])


@cache
def _names() -> Mapping[str, Mapping[str, Any]]:
    named: dict[str, dict[str, Any]] = json.loads(_NAMES_FILE.read_text(encoding="utf-8"))
    return named


@cache
def standard_value_sets() -> Mapping[str, ValueSet]:
    """Every value set of a required binding, by its address."""
    names, found = _names(), {}
    for entry in bindings():
        concepts = tuple(
            Concept(include["system"], code, names["systems"][include["system"]]["codes"][code])
            for include in entry["include"]
            for code in include["codes"]
        )
        named = names["value_sets"][entry["url"]]
        found[entry["url"]] = ValueSet(
            entry["url"], named["name"], named["title"], concepts, named.get("zh", ""), _VERSION
        )
    return found


@cache
def standard_code_systems() -> Mapping[str, CodeSystem]:
    """The official systems behind those value sets, with the codes that are kept of each."""
    return {
        url: CodeSystem(
            url,
            entry["name"],
            entry["title"],
            tuple(Concept(url, code, display) for code, display in entry["codes"].items()),
            version=entry.get("version", _VERSION),
            fragment=True,
        )
        for url, entry in _names()["systems"].items()
    }

"""The exam catalogue: which codes are CT, of which regions, with contrast or not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Exam:
    """One catalogue entry."""

    code: str  # local code
    zh: str
    en: str
    system: str  # body system of the accreditation scope, B1..B6
    regions: frozenset[str]
    contrast: bool | None  # None: the code leaves it open
    loinc: str = ""  # the LOINC code that other services know it by


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a request must state."""

    code: str
    zh: str
    en: str
    clause: str
    at: str


@cache
def exams() -> Mapping[str, Exam]:
    """The exams by every code that names one: our own, LOINC and SNOMED CT."""
    found: dict[str, Exam] = {}
    for entry in _read("exams.toml")["exam"]:
        named = (entry["zh"], entry["en"], entry["system"], frozenset(entry["regions"]))
        plain = Exam(entry["slug"], *named, contrast=False, loinc=next(iter(entry["plain"]), ""))
        enhanced = Exam(f"{entry['slug']}-contrast", *named, contrast=True, loinc=next(iter(entry["contrast"]), ""))
        found |= dict.fromkeys([plain.code, *entry["plain"]], plain)
        found |= dict.fromkeys([enhanced.code, *entry["contrast"]], enhanced)
        found |= dict.fromkeys(entry.get("snomed", ()), Exam(entry["slug"], *named, contrast=None))
    return found


@cache
def own_codes() -> Mapping[str, Exam]:
    """The exams by our own codes alone: each says whether it is with contrast."""
    return {code: exam for code, exam in exams().items() if code == exam.code and exam.contrast is not None}


@cache
def known_systems() -> frozenset[str]:
    """The code systems that the catalogue itself speaks; any other is the hospital's own."""
    return frozenset(_read("exams.toml")["systems"]["known"])


@cache
def _sites() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for region, codes in _read("exams.toml")["sites"].items():
        for code in codes:
            found.setdefault(code, set()).add(region)
    return {code: frozenset(regions) for code, regions in found.items()}


@cache
def items() -> Mapping[str, Item]:
    """What a request must state, by code, in the order it is asked for."""
    return {code: Item(code, **entry) for code, entry in _read("items.toml")["items"].items()}


@cache
def carriers() -> Mapping[str, Mapping[str, Any]]:
    """Which resources speak to which item of the clinical data."""
    return dict(_read("items.toml")["carriers"])


def exam_of(codes: Iterable[str]) -> Exam | None:
    """The catalogue entry of the first code that has one."""
    return next((exams()[code] for code in codes if code in exams()), None)


def regions_of(sites: Iterable[str]) -> frozenset[str]:
    """The regions that body site codes (SNOMED CT, DICOM) stand for."""
    return frozenset(region for site in sites for region in _sites().get(site.upper(), ()))


def _read(name: str) -> dict[str, Any]:
    with (_DATA / name).open("rb") as file:
        return tomllib.load(file)

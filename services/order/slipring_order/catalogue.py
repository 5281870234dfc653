"""The exam catalogue: which codes are CT, of which regions and body systems, with contrast or not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from slipring_order.check_digits import is_loinc, is_snomed

_DATA = Path(__file__).with_name("data")
SYSTEMS = ("B1", "B2", "B3", "B4", "B5", "B6")
CONTRAST = ("none", "with", "both")
KINDS = ("plain", "enhanced", "angiography", "special", "guided-biopsy", "bedside", "intraoperative")


class UnsoundCatalogue(ValueError):
    """The catalogue's data say what cannot be; the message names the row, and nothing starts on it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the body: its codes, and the regions that rules speak of."""

    name: str
    zh: str
    en: str
    snomed: tuple[str, ...]  # the first is preferred
    dicom: tuple[str, ...]
    regions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Exam:
    """One catalogue entry."""

    code: str  # our own, canonical
    zh: str
    en: str  # the LOINC display where there is one
    systems: tuple[str, ...]  # body systems of the accreditation scope, B1..B6
    regions: frozenset[str]
    contrast: bool | None  # None: the code leaves it open
    loinc: str = ""  # the LOINC code that other services know it by
    phases: str = "none"  # contrast into a vein: none, with, both (without, then with)
    kind: str = "plain"
    family: str = ""
    place: str = ""  # a name of places.toml; empty when the request must say
    protocol: str = ""  # the group of scan protocols
    drl: str = ""  # the row of the diagnostic reference levels
    laterality: bool = False  # whether the request is asked for a side
    also: tuple[str, ...] = ()  # other codes of the same exam


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
    return exams_of(_read("exams.toml"), places())


def exams_of(tree: Mapping[str, Any], known_places: Mapping[str, Place]) -> Mapping[str, Exam]:
    """Read the catalogue from its tree; UnsoundCatalogue names the row that is wrong."""
    found: dict[str, Exam] = {}
    for family in tree["family"]:
        entries = [_exam(family, entry, known_places) for entry in family["exams"]]
        open_contrast = replace(entries[0], contrast=None, loinc="")
        named = [(code, exam) for exam in entries for code in (exam.code, exam.loinc, *exam.also) if code]
        for code, exam in [*named, *((code, open_contrast) for code in family.get("snomed", ()))]:
            if code in found:
                raise UnsoundCatalogue(f"exams.toml: {exam.code}: {code} is another exam's already")
            found[code] = exam
        _check_snomed(family["name"], (*family.get("snomed", ()), *(code for exam in entries for code in exam.also)))
    return found


@cache
def own_codes() -> Mapping[str, Exam]:
    """The exams by our own codes alone: each says whether it is with contrast."""
    return {code: exam for code, exam in exams().items() if code == exam.code}


@cache
def places() -> Mapping[str, Place]:
    """The parts of the body by name."""
    found = {
        name: Place(
            name, entry["zh"], entry["en"], tuple(entry["snomed"]), tuple(entry["dicom"]), frozenset(entry["regions"])
        )
        for name, entry in _read("places.toml")["place"].items()
    }
    for place in found.values():
        _check_snomed(place.name, place.snomed)
    return found


@cache
def known_systems() -> frozenset[str]:
    """The code systems that the catalogue itself speaks; any other is the hospital's own."""
    return frozenset(_read("exams.toml")["systems"]["known"])


@cache
def catalogue_version() -> str:
    """The version of the shipped catalogue."""
    return str(_read("exams.toml")["version"])


@cache
def effective_from() -> str:
    """The day from which the shipped catalogue counts."""
    return str(_read("exams.toml")["effective_from"].isoformat())


@cache
def _sites() -> Mapping[str, frozenset[str]]:
    return {code: place.regions for place in places().values() for code in (*place.snomed, *place.dicom)}


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


def _exam(family: Mapping[str, Any], entry: Mapping[str, Any], known_places: Mapping[str, Place]) -> Exam:
    row = {**{name: value for name, value in family.items() if name not in ("exams", "snomed", "name")}, **entry}
    wrong = next(_faults(row, known_places), "")
    if wrong:
        raise UnsoundCatalogue(f"exams.toml: {row['code']}: {wrong}")
    return Exam(
        code=row["code"],
        zh=row["zh"],
        en=row["display"],
        systems=tuple(row["systems"]),
        regions=frozenset(row["regions"]),
        contrast=row["contrast"] != "none",
        loinc=row.get("loinc", ""),
        phases=row["contrast"],
        kind=row.get("kind") or ("plain" if row["contrast"] == "none" else "enhanced"),
        family=family["name"],
        place=row.get("place", ""),
        protocol=row["protocol"],
        drl=row.get("drl", ""),
        laterality=row.get("laterality", False),
        also=tuple(row.get("also", ())),
    )


def _faults(row: Mapping[str, Any], known_places: Mapping[str, Place]) -> Iterator[str]:
    if "loinc" in row and not is_loinc(row["loinc"]):
        yield f"LOINC {row['loinc']} has a wrong check digit"
    if not row["systems"] or not set(row["systems"]) <= set(SYSTEMS):
        yield "systems must be one or more of B1 to B6"
    if row["contrast"] not in CONTRAST:
        yield "contrast must be none, with or both"
    if row.get("kind", "plain") not in KINDS:
        yield f"kind {row['kind']} is none of {', '.join(KINDS)}"
    if row.get("place") and row["place"] not in known_places:
        yield f"place {row['place']} is not in places.toml"


def _check_snomed(row: str, codes: Iterable[str]) -> None:
    for code in codes:
        if not is_snomed(code):
            raise UnsoundCatalogue(f"{row}: SNOMED CT {code} fails its check digit")


def _read(name: str) -> dict[str, Any]:
    with (_DATA / name).open("rb") as file:
        return tomllib.load(file)

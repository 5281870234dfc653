"""Code systems of our own, made from the data that the rules and tables run on, so that they cannot drift from it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from slipring.clauses.critical_findings import critical_findings, edition
from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology.concept import CodeSystem, Concept

Names = Mapping[str, Mapping[str, str]]  # code -> {zh, en}


def own_system(name: str, title: str, zh: str, names: Names, version: str = "1") -> CodeSystem:
    """The code system `name` under our canonical base, e.g. exam-state."""
    url = f"{CANONICAL}/CodeSystem/{name}"
    concepts = tuple(Concept(url, code, said.get("en", code), said.get("zh", "")) for code, said in names.items())
    written = "".join(part.capitalize() for part in name.split("-"))
    return CodeSystem(url, written, title, concepts, zh, version)


def read_code_systems(file: Path) -> tuple[CodeSystem, ...]:
    """The code systems of a data file: `[name]` with title and zh, `[name.codes]` with zh and en for each code."""
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(
        own_system(name, entry["title"], entry["zh"], entry["codes"])
        for name, entry in written.items()
        if isinstance(entry, dict)
    )


# What travels between the services: each of them reads some of these codes on what the others keep.
BETWEEN_SERVICES = (
    *read_code_systems(Path(__file__).parent / "own.toml"),
    own_system(
        "critical-finding",
        "Critical finding",
        "危急值",
        {code: {"zh": found.zh, "en": found.en} for code, found in critical_findings().items()},
        edition(),
    ),
)

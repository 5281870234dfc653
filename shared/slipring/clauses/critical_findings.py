"""The catalogue of critical findings: what must be told at once (CL02-A011:5.9.1, 5.5.3 q)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("critical_findings.toml")
LEVELS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class CriticalFinding:
    """One entry: our code is canonical, ICD-10 and (optional, licensed) SNOMED CT stand beside it."""

    code: str
    zh: str
    en: str
    a011: bool
    national: bool
    icd10: tuple[str, ...]
    level: int  # default level: 1 minutes, 2 hours, 3 days
    confidence: str
    snomed: str = ""
    snomed_confidence: str = ""
    note: str = ""


@cache
def critical_findings() -> Mapping[str, CriticalFinding]:
    """All entries by code, in catalogue order.

    >>> critical_findings()["CV-CT-06"].en
    'pulmonary embolism'
    """
    listed = tomllib.loads(_FILE.read_text("utf-8"))["finding"]
    return {entry["code"]: CriticalFinding(**{**entry, "icd10": tuple(entry["icd10"])}) for entry in listed}


def critical_finding(code: str) -> CriticalFinding | None:
    """The entry with this code, or None when the catalogue does not know it."""
    return critical_findings().get(code)


def edition() -> str:
    """Which edition of the catalogue is in force, for the record of a decision."""
    return str(tomllib.loads(_FILE.read_text("utf-8"))["edition"])

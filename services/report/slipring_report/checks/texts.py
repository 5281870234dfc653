"""A report in FHIR as the text that is checked. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource
from slipring.qc.report import OwnWords, ReportText

from slipring_report.checks.exam import part_of, side_asked
from slipring_report.rendering.html import plain
from slipring_report.vocabulary import LOINC


def sections_of(report: Resource, composition: Resource | None) -> dict[str, str]:
    """The words of findings, impression and comparison; a report without an impression of its own speaks by its conclusion."""
    texts: dict[str, list[str]] = {}
    for section in _sections((composition or {}).get("section", [])):
        name = _name_of(section)
        if name:
            texts.setdefault(name, []).append(plain(section.get("text", {}).get("div", "")).strip())
    found = {name: "\n".join(parts) for name, parts in texts.items()}
    if not found.get("impression", "").strip():
        found["impression"] = str(report.get("conclusion", ""))
    return found


def text_of(
    sections: Mapping[str, str],
    request: Resource,
    patient: Resource,
    priors: int,
    removed: Sequence[str] = (),
    *,
    year: int = 0,
    own: tuple[OwnWords, ...] = (),
) -> ReportText:
    """The report with what is known of patient and exam."""
    born = str(patient.get("birthDate", ""))[:4]
    return ReportText(
        sections=sections,
        sex=str(patient.get("gender", "")),
        age_years=float(year - int(born)) if born.isdigit() and year else None,
        removed_organs=tuple(removed),
        body_part=part_of(request),
        laterality=side_asked(request),
        priors=priors,
        own=own,
    )


def _name_of(section: Resource) -> str:
    """Which section it is: by its LOINC code, and without one by its title."""
    codings = section.get("code", {}).get("coding", [])
    for coding in codings:
        if coding.get("system") == LOINC and coding.get("code") in _by_code():
            return _by_code()[coding["code"]]
    title = "" if codings else str(section.get("title", "")).strip().lower().rstrip(":：")
    return next((name for name, one in words()["section"].items() if re.fullmatch(one["titles"], title)), "")


def _sections(sections: Sequence[Resource]) -> Iterator[Resource]:
    for section in sections:
        yield section
        yield from _sections(section.get("section", []))


@cache
def words() -> Mapping[str, Any]:
    """The checks, certainties and sections in words."""
    return tomllib.loads((Path(__file__).parents[1] / "data" / "text_checks.toml").read_text("utf-8"))


@cache
def _by_code() -> Mapping[str, str]:
    return {entry["code"]: name for name, entry in words()["section"].items()}

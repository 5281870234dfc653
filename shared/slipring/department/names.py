"""How resources are said on a page: names, numbers, codes in both languages, moments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL

Tree = Mapping[str, Any]
Pair = tuple[str, str]  # Chinese, English
ACSN_SYSTEM = f"{CANONICAL}/sid/imaging-number"
# The open Task of critical that its ladders end at no staffed desk.
NO_DESK = (("code", "staffed-desk"), ("status", "requested"))
ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)  # of a resource (FHIR R4, id)
_TAIL = 4
_NUMBER_TYPES = ("MR", "PI", "PN", "JHN")


def person(resource: Tree | None) -> str:
    """A person's name as it is written; empty when none is known."""
    for name in (resource or {}).get("name", []):
        written = str(name.get("text", "")) or f"{name.get('family', '')}{''.join(name.get('given', []))}"
        if written:
            return written
    return ""


def initials(name: str) -> str:
    """What a wall may show of a name: the first letter of each part.

    >>> initials("Anna Roth"), initials("王小明"), initials("古丽·艾山"), initials("")
    ('A.R.', '王.', '古.艾.', '–')
    """
    return "".join(f"{part[0]}." for part in name.replace("·", " ").split()) or "–"


def tail(number: str) -> str:
    """What a wall may show of an imaging number, and what is read back of it: its last four characters."""
    return number[-_TAIL:]


def patient_number(patient: Tree | None) -> str:
    """The number that a patient is called by in the house: its medical record number, else his first identifier."""
    identifiers = [one for one in (patient or {}).get("identifier", []) if one.get("value")]
    for code in _NUMBER_TYPES:
        for one in identifiers:
            if code in codes(one.get("type")):
                return str(one["value"])
    return str(identifiers[0]["value"]) if identifiers else ""


def imaging_number(resource: Tree) -> str:
    """The unique imaging number of a request or an exam's Task."""
    group = resource.get("groupIdentifier")
    every = [*resource.get("identifier", []), *([group] if isinstance(group, Mapping) else [])]
    return next((str(one.get("value", "")) for one in every if one.get("system") == ACSN_SYSTEM), "")


def codes(concept: Tree | None) -> list[str]:
    """The codes of a concept."""
    return [str(coding["code"]) for coding in (concept or {}).get("coding", []) if coding.get("code")]


def code_in(concept: Tree | None, system: str) -> str:
    """The code that a concept has in one of our systems."""
    own = f"{CANONICAL}/CodeSystem/{system}"
    return next((str(c["code"]) for c in (concept or {}).get("coding", []) if c.get("system") == own), "")


def has_code(concept: Tree | None, system: str, code: str) -> bool:
    """Whether a concept has this code of one of our systems."""
    own = f"{CANONICAL}/CodeSystem/{system}"
    return any(c.get("system") == own and c.get("code") == code for c in (concept or {}).get("coding", []))


def concept_words(concept: Tree | None) -> Pair:
    """A concept in Chinese and English, as far as it says so: its text, else its first display, else its code."""
    if not concept:
        return ("", "")
    if concept.get("text"):
        return (str(concept["text"]), _english(concept, "text") or _displays(concept)[1] or str(concept["text"]))
    return _displays(concept)


def _displays(concept: Tree) -> Pair:
    for coding in concept.get("coding", []):
        if coding.get("display"):
            return str(coding["display"]), _english(coding, "display") or str(coding["display"])
    first = next(iter(codes(concept)), "")
    return first, first


def coding_words(coding: Tree) -> Pair:
    """One coding in Chinese and English."""
    said = str(coding.get("display") or coding.get("code", ""))
    return said, _english(coding, "display") or said


def text_words(resource: Tree, member: str) -> Pair:
    """A text member in Chinese, and in English where a translation stands beside it."""
    said = str(resource.get(member, ""))
    return said, _english(resource, member) or said


def _english(holder: Tree, member: str) -> str:
    for extension in holder.get(f"_{member}", {}).get("extension", []):
        if extension.get("url") == TRANSLATION:
            parts = {part.get("url"): part for part in extension.get("extension", [])}
            if parts.get("lang", {}).get("valueCode") == "en":
                return str(parts.get("content", {}).get("valueString", ""))
    return ""


def plain(text: str) -> str:
    r"""A value as a search takes it literally (FHIR R4, search, escaping).

    >>> plain("a,b|c")
    'a\\,b\\|c'
    """
    return "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in text)


def reference_in(member: Tree | Iterable[Tree] | None) -> str:
    """The reference of a member; of a list, its first."""
    if isinstance(member, Mapping):
        return str(member.get("reference", ""))
    return next((str(one.get("reference", "")) for one in member or ()), "")


def moment(text: object) -> datetime | None:
    """A FHIR instant or dateTime with a time; None for anything less exact."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else (found.replace(tzinfo=UTC) if len(str(text)) > len("2026-01-01") else None)

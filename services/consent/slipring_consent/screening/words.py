"""Whether a concept names a fact of screening: by a code at or below one of its codes, or by words that are safe. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in

_HIERARCHICAL = ("icd10", "icd9", "atc")  # whose codes begin with the code above them
_ATC = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")  # a substance of five levels; nothing else is written so
_ICD10 = re.compile(r"[A-Z][0-9]{2}(\.[0-9].*)?")  # E05, E05.9, E05.900x001


def names(concept: Resource | None, fact: Mapping[str, Any]) -> bool:
    """Whether a CodeableConcept names the fact; its words are read where no code that has others below it is given."""
    return _named(concept, fact, suspicion=False)


def suspects(concept: Resource | None, fact: Mapping[str, Any]) -> bool:
    """Whether a CodeableConcept names the fact and its words say that it is a suspicion ("E05, 甲亢？")."""
    marked = any(_holds(text.lower(), _suspecting()) for text in _texts(concept or {}))
    return marked and _named(concept, fact, suspicion=True)


def _named(concept: Resource | None, fact: Mapping[str, Any], *, suspicion: bool) -> bool:
    if not concept:
        return False
    texts = _texts(concept)
    if any(unlike.lower() in text.lower() for unlike in fact.get("unlike", []) for text in texts):
        return False
    known = [(name, code) for system, code in codes_in(concept) if code and (name := _system(system, code))]
    if any(_below(code, prefix) for name, code in known for prefix in fact.get(f"{name}_unlike", [])):
        return False
    if any(_below(code, prefix) for name, code in known for prefix in fact.get(name, []) if name in _HIERARCHICAL):
        return True
    if any(code in fact.get(name, []) for name, code in known if name not in _HIERARCHICAL):
        return True
    # A group above what is listed ("A10B") leaves open which of its members is meant, as a code that is silent does.
    groups = [code for name, code in known if any(_below(one, code) for one in fact.get(name, []))]
    groups += [code for name, code in known if any(_below(code, one) for one in fact.get(f"{name}_open", []))]
    known = [(name, code) for name, code in known if code not in groups]
    # SNOMED CT and RxNorm name one disease or drug in a thousand ways, so a code of theirs that is not listed is silent.
    return not {name for name, _ in known} & set(_HIERARCHICAL) and any(_says(text, fact, suspicion) for text in texts)


def _suspecting() -> Mapping[str, Any]:
    marks: Mapping[str, Any] = data_file("history.toml")["suspecting"]
    return marks


def _system(uri: str, code: str) -> str:
    """Our name of a code system; empty for one that facts are not recognised in. Without one, ATC and ICD-10 show by their form."""
    if not uri:
        shown = re.sub(r"\s", "", code).upper()
        return "atc" if _ATC.fullmatch(shown) else "icd10" if _ICD10.fullmatch(code) else ""
    for name, uris in data_file("history.toml")["systems"].items():
        if any(uri.startswith(known) for known in uris):
            return str(name)
    named = re.split("[^a-z0-9]+", uri.lower())  # http://fhir.de/CodeSystem/bfarm/atc
    return "icd10" if re.search("icd-?10", uri.lower()) else "atc" if "atc" in named else ""


def _below(code: str, prefix: str) -> bool:
    """Whether a code is the given one or stands below it; dots, case and dagger marks do not count."""
    return re.sub(r"[.\s]", "", code).upper().startswith(prefix.replace(".", ""))


def _texts(concept: Resource) -> list[str]:
    texts = [concept.get("text"), *(coding.get("display") for coding in concept.get("coding", []))]
    return [str(text) for text in texts if text]


def _says(text: str, fact: Mapping[str, Any], suspicion: bool) -> bool:
    """Whether words name the fact and nothing beside them denies it or speaks of a relative, nor, but for a suspicion, doubts it."""
    return _said(text.lower(), tuple(fact.get("words_zh", ())), tuple(fact.get("words_en", ())), suspicion)


# A patient of ten years has the same words on record hundreds of times.
@lru_cache(maxsize=8192)
def _said(text: str, words_zh: tuple[str, ...], words_en: tuple[str, ...], suspicion: bool) -> bool:
    rest, found = text, False
    for word in sorted(words_zh, key=len, reverse=True):
        found |= word.lower() in rest
        rest = rest.replace(word.lower(), " ")
    for word in sorted(words_en, key=len, reverse=True):
        rest, times = _in_english(word.lower(), "(?:s|es)?").subn(" ", rest)
        found |= bool(times)
    held, denying = _holds(rest, _suspecting()), data_file("history.toml")["denying"]
    if held and not suspicion:
        return False
    for mark in _suspecting()["zh"]:  # "不能排除" holds a denial
        rest = rest.replace(mark, " ")
    return found and not _holds(rest, denying)


def _holds(text: str, marks: Mapping[str, Any]) -> bool:
    return any(mark in text for mark in marks["zh"]) or any(_in_english(mark).search(text) for mark in marks["en"])


@cache
def _in_english(word: str, ending: str = "") -> re.Pattern[str]:
    """The word on its own, not within another."""
    return re.compile(rf"(?<![a-z]){re.escape(word)}{ending}(?![a-z])")

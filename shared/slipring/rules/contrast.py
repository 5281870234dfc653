"""What names contrast, in the details of an order or as what somebody is allergic to: by code, or in words. Pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_ATC = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")
_SNOMED = "http://snomed.info/sct"


def names_contrast(concept: Mapping[str, Any]) -> bool:
    """Whether a detail of an order (a CodeableConcept) is an agent; "low dose" and "without contrast" are none."""
    codings: list[Mapping[str, Any]] = concept.get("coding", [])
    told = (concept.get("text"), *(coding.get("display") for coding in codings))
    coded = any(is_contrast_code(str(one.get("system", "")), str(one.get("code", ""))) for one in codings)
    return coded or says_contrast(str(text) for text in told if text)


def says_contrast(texts: Iterable[str]) -> bool:
    """Whether words name an agent of contrast, or that it is used; that none is used says the opposite.

    >>> says_contrast(["碘海醇 80 ml"]), says_contrast(["不用对比剂"]), says_contrast(["低剂量"])
    (True, False, False)
    """
    for text in texts:
        said = _no_contrast().sub(" ", unicodedata.normalize("NFKC", text).casefold())
        if any(word in said for word in _data()["words"]):
            return True
    return False


def names_contrast_allergy(*concepts: Mapping[str, Any] | None) -> bool:
    """Whether what somebody is allergic to (CodeableConcepts of the allergy and of its substances) is iodinated contrast.

    Gadolinium, barium and ultrasound contrast are of other classes; shellfish and iodine on the skin are none.
    """
    return any(_is_allergy(one) for one in concepts if one)


def says_contrast_reaction(concept: Mapping[str, Any] | None) -> bool:
    """Whether the words of a diagnosis say that there was a reaction to iodinated contrast.

    >>> says_contrast_reaction({"text": "碘海醇过敏性休克"}), says_contrast_reaction({"text": "对比剂肾病"})
    (True, False)
    """
    return any(_of_allergy(text) and any(word in text for word in _allergy()["reaction"]) for text in _told(concept))


def _is_allergy(concept: Mapping[str, Any]) -> bool:
    codes = [(str(one.get("system", "")), str(one.get("code", ""))) for one in concept.get("coding", [])]
    groups, others = _allergy()["snomed"], tuple(_allergy()["other_atc"])
    if any(is_contrast_code(*one) or (one[0] == _SNOMED and one[1] in groups) for one in codes):
        return True
    of_another_class = any(system in _ATC and code.upper().startswith(others) for system, code in codes)
    return not of_another_class and any(map(_of_allergy, _told(concept)))


def _told(concept: Mapping[str, Any] | None) -> list[str]:
    """The words of a concept, folded."""
    said = ((concept or {}).get("text"), *(one.get("display") for one in (concept or {}).get("coding", [])))
    return [unicodedata.normalize("NFKC", str(text)).casefold() for text in said if text]


def _of_allergy(text: str) -> bool:
    said = _denied().sub(" ", _others().sub(" ", text))
    return any(word in said for word in _allergy()["words"])


def is_contrast_code(system: str, code: str) -> bool:
    """Whether a code is one of an agent of contrast; of a system that is not known here it is none.

    >>> is_contrast_code("http://www.whocc.no/atc", "V08AB02"), is_contrast_code("urn:his", "LOW-DOSE")
    (True, False)
    """
    table = _data()["codes"]
    if system in _ATC:
        return code.upper().startswith(tuple(table["atc"]))
    return system == _SNOMED and code in table["snomed"]


@cache
def _no_contrast() -> re.Pattern[str]:
    return re.compile("|".join(_data()["without"]))


@cache
def _others() -> re.Pattern[str]:
    return re.compile("|".join(_allergy()["others"]))


@cache
def _denied() -> re.Pattern[str]:
    return re.compile("|".join(_allergy()["denied"]))


def _allergy() -> Mapping[str, Any]:
    table: Mapping[str, Any] = _data()["allergy"]
    return table


@cache
def _data() -> Mapping[str, Any]:
    with Path(__file__).with_name("contrast.toml").open("rb") as file:
        return tomllib.load(file)

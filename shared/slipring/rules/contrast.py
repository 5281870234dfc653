"""What names contrast in the details of an order: by an agent's code, or in words; one answer for whoever asks. Pure."""

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
def _data() -> Mapping[str, Any]:
    with Path(__file__).with_name("contrast.toml").open("rb") as file:
        return tomllib.load(file)

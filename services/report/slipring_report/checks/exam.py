"""Which part of the body and which side a request asks for, as the checks of the text know them. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource

_ASKED = "laterality"


def part_of(request: Resource) -> str:
    """The part of the body that a request or report is about, or '' when its codes and words do not tell.

    >>> part_of({"code": {"coding": [{"code": "24725-4"}]}}), part_of({"code": {"text": "胸部CT平扫"}}), part_of({})
    ('head', 'chest', '')
    """
    concepts = [request.get("code", {}), *request.get("bodySite", [])]
    codes = {str(coding.get("code", "")) for concept in concepts for coding in concept.get("coding", [])}
    parts = _table()["part"]
    for part in parts:
        if codes & set(part["loinc"]):
            return str(part["name"])
    words = " ".join(_words(concepts)).lower()
    return next((str(part["name"]) for part in parts if re.search(part["words"], words)), "")


def side_asked(request: Resource) -> str:
    """left, right, bilateral or '' of a request.

    >>> side_asked({"bodySite": [{"text": "左膝"}]})
    'left'
    """
    asked = [
        one.get("valueCodeableConcept", {})
        for one in request.get("extension", [])
        if _ASKED in str(one.get("url", "")).rpartition("/")[2]
    ]
    concepts = [*request.get("bodySite", []), *asked]
    sides = _table()["sides"]
    codes = {str(coding.get("code", "")) for concept in concepts for coding in concept.get("coding", [])}
    words = " ".join(_words([request.get("code", {}), *concepts])).lower()
    named = {side for side in ("left", "right") if codes & set(sides[f"{side}_codes"]) or re.search(sides[side], words)}
    if len(named) == 1:
        return named.pop()
    return "bilateral" if named or re.search(sides["both"], words) else ""


def _words(concepts: list[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield str(concept.get("text", ""))
        for coding in concept.get("coding", []):
            yield str(coding.get("display", ""))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "exam_parts.toml").read_text("utf-8"))

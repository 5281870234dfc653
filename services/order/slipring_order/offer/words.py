"""The coded words of the offered exams and protocols, in both languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

FILE = Path(__file__).parents[1] / "data" / "offer.toml"
USAGE = f"{CANONICAL}/CodeSystem/usage"


def in_english(text: str) -> Resource:
    """The English beside a Chinese primitive, as the standard translation extension."""
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": TRANSLATION, "extension": parts}]}


def concept(system: str, code: str) -> Resource:
    """A code of `offer.toml` with its names."""
    said = words()[system]["codes"][code]
    coding = {"system": f"{CANONICAL}/CodeSystem/{system}", "code": code}
    return {"coding": [{**coding, "display": said["zh"], "_display": in_english(said["en"])}], "text": said["zh"]}


def usage(code: str, value: Resource) -> Resource:
    """A useContext of ours."""
    return {"code": {"system": USAGE, "code": code}, "valueCodeableConcept": value}


@cache
def words() -> Mapping[str, Any]:
    """The tables of `offer.toml` by code system."""
    with FILE.open("rb") as file:
        return tomllib.load(file)

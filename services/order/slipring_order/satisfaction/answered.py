"""The two questionnaires as they are served, and what an answer to one of them says. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.offer.words import in_english

KINDS = ("patient", "clinician")
COMPLAINT = "complaint"
_URL = f"{CANONICAL}/Questionnaire/satisfaction-"
_DONE = ("completed", "amended")
_BOUNDS = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one questionnaire comes to."""

    of: str  # patient | clinician
    mean: float
    satisfied: bool
    complains: bool


def kind_of(response: Resource) -> str:
    """Whose questionnaire it answers, or an empty string."""
    url = str(response.get("questionnaire", "")).partition("|")[0]
    return next((kind for kind in KINDS if url == _URL + kind), "")


def opinion(response: Resource) -> Opinion | None:
    """What a valid questionnaire says; None for one that is not done, or not answered for the most part."""
    kind = kind_of(response)
    if not kind or response.get("status") not in _DONE:
        return None
    points = [value for link, value in points_of(response).items() if link in questions(kind)]
    if len(points) < sheet()["answered"] * len(questions(kind)) or not points:
        return None
    mean = sum(points) / len(points)
    return Opinion(kind, mean, mean >= sheet()["satisfied"], bool(words_of(response)))


def points_of(response: Resource) -> dict[str, int]:
    """The points by question, as far as they are whole numbers."""
    found = {}
    for item in response.get("item", []):
        for answer in item.get("answer", [])[:1]:
            if isinstance(answer.get("valueInteger"), int):
                found[str(item.get("linkId"))] = answer["valueInteger"]
    return found


def words_of(response: Resource) -> str:
    """What is complained of, in words; empty when nothing is."""
    for item in response.get("item", []):
        if item.get("linkId") == COMPLAINT:
            for answer in item.get("answer", [])[:1]:
                return str(answer.get("valueString", "")).strip()
    return ""


def questions(kind: str) -> Mapping[str, Mapping[str, str]]:
    """The questions of one questionnaire by their codes."""
    return {one["code"]: one for one in sheet()[kind]["question"]}


def questionnaires() -> tuple[Resource, ...]:
    """Both as they are shipped."""
    return tuple(_questionnaire(kind) for kind in KINDS)


def _questionnaire(kind: str) -> Resource:
    entry = sheet()[kind]
    bounds = [
        {"url": f"{_BOUNDS}{name}Value", "valueInteger": sheet()[at]}
        for name, at in (("min", "least"), ("max", "most"))
    ]
    items = [
        {
            "extension": bounds,
            "linkId": one["code"],
            "text": one["zh"],
            "_text": in_english(one["en"]),
            "type": "integer",
        }
        for one in entry["question"]
    ]
    complaint = {
        "linkId": COMPLAINT,
        "text": "投诉（如有，将登记并答复）",
        "_text": in_english("A complaint, if there is one: it is registered and answered"),
        "type": "text",
    }
    return {
        "resourceType": "Questionnaire",
        "id": f"o-satisfaction-{kind}-{sheet()['version']}",
        "language": "zh-CN",
        "url": _URL + kind,
        "version": sheet()["version"],
        "name": f"Satisfaction{kind.capitalize()}",
        "title": entry["zh"],
        "_title": in_english(entry["en"]),
        "status": "active",
        "date": sheet()["from"].isoformat(),
        "publisher": "slipring",
        "copyright": sheet()["source"],
        "item": [*items, complaint],
    }


@cache
def sheet() -> Mapping[str, Any]:
    """The data of both, with scale and bounds."""
    return tomllib.loads(Path(__file__).with_name("questionnaires.toml").read_text(encoding="utf-8"))

"""The grading sheet of images as it is served, and what a filled-in one comes to (5.6.2.3). Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.offer.words import in_english
from slipring_order.reading import reference_of

GRADING = f"{CANONICAL}/Questionnaire/image-grading"
EXCELLENT, GOOD, FAIR, REJECT = "grade-a", "grade-b", "grade-c", "reject"
_DONE = ("completed", "amended")
_TOLD = ("identity-right", "part-right", "label-right", "dose-right")


@dataclass(frozen=True, slots=True)
class Graded:
    """One exam's images as somebody has judged them."""

    exam: str  # ServiceRequest/id
    said: Mapping[str, bool]

    @property
    def grade(self) -> str:
        """Excellent without a fault; what each fault makes of it the sheet says."""
        faults = [one for code, one in questions().items() if not self.said.get(code)]
        if any(one.get("veto") for one in faults):
            return REJECT
        if not faults:
            return EXCELLENT
        return GOOD if len(faults) == 1 and not faults[0].get("hinders") else FAIR

    @property
    def marks(self) -> tuple[str, ...]:
        """What indicators count of it."""
        right = tuple(code for code in _TOLD if self.said.get(code))
        return (self.grade, *right, *(() if self.said.get("no-artefact") else ("artefact",)))


def is_sheet(response: Resource) -> bool:
    """Whether it answers the grading sheet."""
    return str(response.get("questionnaire", "")).partition("|")[0] == GRADING


def graded(response: Resource) -> Graded | None:
    """What a filled-in sheet says; None for another form, or one that is not done."""
    if not is_sheet(response) or response.get("status") not in _DONE:
        return None
    return Graded(reference_of(response.get("subject")), answers(response))


def answers(response: Resource) -> dict[str, bool]:
    """The answers that are yes or no, by question."""
    return {
        str(item.get("linkId")): answer["valueBoolean"]
        for item in response.get("item", [])
        for answer in item.get("answer", [])[:1]
        if isinstance(answer.get("valueBoolean"), bool)
    }


def questions() -> Mapping[str, Mapping[str, Any]]:
    """The questions by their codes."""
    return {one["code"]: one for one in _sheet()["question"]}


def questionnaire() -> Resource:
    """The sheet as it is shipped."""
    sheet = _sheet()
    return {
        "resourceType": "Questionnaire",
        "id": f"o-image-grading-{sheet['version']}",
        "language": "zh-CN",
        "url": GRADING,
        "version": sheet["version"],
        "name": "ImageGrading",
        "title": sheet["title"]["zh"],
        "_title": in_english(sheet["title"]["en"]),
        "status": "active",
        "subjectType": ["ServiceRequest"],
        "date": sheet["from"].isoformat(),
        "publisher": "slipring",
        "copyright": sheet["source"],
        "item": [
            {
                "linkId": one["code"],
                "text": one["zh"],
                "_text": in_english(one["en"]),
                "type": "boolean",
                "required": True,
            }
            for one in sheet["question"]
        ],
    }


@cache
def _sheet() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("sheet.toml").read_text(encoding="utf-8"))

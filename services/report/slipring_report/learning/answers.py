"""What somebody says of a report, as a QuestionnaireResponse on the version he speaks of. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored

from slipring_report.reading import reference_of
from slipring_report.resources import reference, versioned, written

CONCORDANCE = f"{CANONICAL}/Questionnaire/report-concordance"
RE_READING = f"{CANONICAL}/Questionnaire/re-reading"
SCORING = f"{CANONICAL}/Questionnaire/report-scoring"
OURS = (CONCORDANCE, RE_READING, SCORING)
Said = tuple[str, str, Any]  # link, kind of value, value


def as_response(form: str, report: Stored, who: str, *said: Said, id: str, now: datetime) -> Resource:
    """The answers of one person; `form`: the canonical address of the questionnaire, with or without a version."""
    response: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "questionnaire": form,
        "status": "completed",
        "subject": reference(versioned(report)),
        "authored": written(now),
        "author": reference(who),
        "item": [
            {"linkId": link, "answer": [{f"value{kind}": value}]}
            for link, kind, value in said
            if value not in (None, "")
        ],
    }
    return response


def form_of(response: Resource) -> str:
    """The questionnaire that it answers, without its version."""
    return str(response.get("questionnaire", "")).partition("|")[0]


def ours(response: Resource) -> bool:
    """Whether it is one of the reading room's own records."""
    return form_of(response) in OURS


def is_learning(resource: Resource) -> bool:
    """Whether it is such a record, among resources of any type: the department's own for good."""
    return resource["resourceType"] == "QuestionnaireResponse" and ours(resource)


def told(response: Resource, link: str) -> Any:
    """The value of the first answer to a question, or None."""
    for item in response.get("item", []):
        if item.get("linkId") == link:
            for answer in item.get("answer", []):
                return next((value for name, value in answer.items() if name.startswith("value")), None)
    return None


def code(response: Resource, link: str) -> str:
    """The code of a coded answer, or ''."""
    value = told(response, link)
    return str(value.get("code", "")) if isinstance(value, dict) else ""


def report_of(response: Resource) -> str:
    """The report that it is about, without a version."""
    return reference_of(response.get("subject"))


def settings() -> Mapping[str, Any]:
    """The definitions and numbers of `data/learning.toml`."""
    return _file()


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "learning.toml").read_text("utf-8"))

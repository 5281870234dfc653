"""The request form as a Questionnaire, and what a filled-in one states."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from slipring.fhir.service import CANONICAL, Resource

FORM = f"{CANONICAL}/Questionnaire/ct-request"
_GIVEN = frozenset({"completed", "amended"})


@cache
def questionnaire() -> Resource:
    """The form that the department ships."""
    return cast(Resource, json.loads((Path(__file__).parents[1] / "data" / "ct-request.json").read_text("utf-8")))


def is_filled_in(response: Resource) -> bool:
    """Whether a QuestionnaireResponse is a finished request form, in whatever version."""
    canonical = str(response.get("questionnaire", "")).partition("|")[0]
    return canonical == FORM and response.get("status") in _GIVEN


def stated_on_the_form(response: Resource) -> Mapping[str, str]:
    """Every answer by its linkId: a code, or words; a blank says nothing."""
    return dict(_answers(response.get("item", [])))


def asked_on_the_form(response: Resource, link_id: str) -> str:
    """One answer, or an empty string."""
    return stated_on_the_form(response).get(link_id, "") if is_filled_in(response) else ""


def _answers(items: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        for answer in item.get("answer", []):
            said = _said(answer).strip()
            if said:
                yield str(item.get("linkId", "")), said
            yield from _answers(answer.get("item", []))
        yield from _answers(item.get("item", []))


def _said(answer: Mapping[str, Any]) -> str:
    for member, value in answer.items():
        if member.startswith("value"):
            if isinstance(value, Mapping):
                return str(value.get("code") or value.get("reference") or value.get("display") or "")
            return str(value)
    return ""

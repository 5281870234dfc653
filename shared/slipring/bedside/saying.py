"""A refusal beside the question or field that it points at."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request

from slipring.bedside.answers import Filled
from slipring.department.place import Words
from slipring.fhir.outcome import FhirError
from slipring.pages.language import language_of, said

_BY_LINK = re.compile(r"linkId\s*=\s*'([^']+)'")
_BY_PLACE = re.compile(r"item\[\d+\](?:\.answer\[\d+\])?(?:\.item\[\d+\])*")
_ANSWERS_WHAT_WAS_TYPED = (400, 409, 412, 422)


def beside(refused: FhirError, request: Request, field_at: Callable[[str], str]) -> Words:
    """The sentences of a refusal by field; `field_at`: the field that an expression points at, '' for the whole form.

    What is no answer to what was typed is raised again.
    """
    if refused.status not in _ANSWERS_WHAT_WAS_TYPED:
        raise refused
    language, found = language_of(request), dict[str, list[str]]()
    for issue in refused.issues:
        found.setdefault(field_at(issue.at), []).append(said((issue.zh, issue.en), language))
    return {name: " ".join(dict.fromkeys(sentences)) for name, sentences in found.items()}


def beside_questions(refused: FhirError, request: Request, told: Filled) -> Words:
    """A refused QuestionnaireResponse: each sentence beside its question, by linkId or by place."""

    def field_at(at: str) -> str:
        links = _BY_LINK.findall(at)
        if links:
            return told.fields.get(links[-1], "")
        place = _BY_PLACE.search(at)
        return told.fields.get(place[0].partition(".answer")[0], "") if place else ""

    return beside(refused, request, field_at)

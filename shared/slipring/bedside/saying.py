"""A refusal beside the question or field that it points at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from starlette.requests import Request

from slipring.bedside.answers import Filled
from slipring.department.names import Pair
from slipring.department.place import Words
from slipring.fhir.outcome import FhirError
from slipring.pages.language import language_of, said

_BY_LINK = re.compile(r"linkId\s*=\s*'([^']+)'")
_BY_PLACE = re.compile(r"item\[\d+\](?:\.answer\[\d+\])?(?:\.item\[\d+\])*")
_ZH_NAMED = re.compile(r"问题 (?P<link>[A-Za-z0-9_.-]+) ?")
_EN_NAMED = re.compile(r"(?P<before>[Qq]uestion|answer to) (?P<link>[A-Za-z0-9_-]+)")
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


def beside_questions(refused: FhirError, request: Request, told: Filled, words: Mapping[str, Pair]) -> Words:
    """A refused QuestionnaireResponse: each sentence beside its question, by linkId or by place, and in its words.

    `words`: what each question asks, by linkId; no reader of the form knows a linkId.
    """
    language = language_of(request)

    def asks(named: re.Match[str]) -> str:
        asked = words.get(named["link"])
        if asked is None:
            return named[0]
        own = said(asked, language)
        return f'{named["before"]} "{own}"' if language == "en" else f"问题“{own}”"

    def field_at(at: str) -> str:
        links = _BY_LINK.findall(at)
        if links:
            return told.fields.get(links[-1], "")
        place = _BY_PLACE.search(at)
        return told.fields.get(place[0].partition(".answer")[0], "") if place else ""

    named = _EN_NAMED if language == "en" else _ZH_NAMED
    return {name: named.sub(asks, sentence) for name, sentence in beside(refused, request, field_at).items()}

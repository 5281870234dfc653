"""The answers of a QuestionnaireResponse as plain words by linkId; of every version of the screening form."""

from __future__ import annotations

from slipring.fhir.search.moment import Interval
from slipring.fhir.service import Resource

from slipring_consent.reading import codes_in, items_of, span

UNKNOWN = "unknown"
_WORDS = {"Y": "yes", "N": "no", "true": "yes", "false": "no", "UNK": UNKNOWN, "ASKU": UNKNOWN, "NASK": UNKNOWN}


def answers_of(response: Resource | None) -> dict[str, str]:
    """The coded answers by linkId; one that was not answered is not among them, two that differ leave it open."""
    found: dict[str, str] = {}
    for item in items_of(response or {}):
        for answer in item.get("answer", []):
            code = str(answer.get("valueCoding", {}).get("code", ""))
            if "valueBoolean" in answer:
                code = "true" if answer["valueBoolean"] else "false"
            if code:
                link, word = str(item.get("linkId")), _WORDS.get(code, code)
                found[link] = word if found.get(link, word) == word else UNKNOWN
    return found


def one_of(answers: dict[str, str], link: str, allowed: tuple[str, ...] = ("yes", "no")) -> str:
    """The answer to a question when it is one of these, else unknown."""
    return answers[link] if answers.get(link) in allowed else UNKNOWN


def moments_of(response: Resource | None, link: str, zone: str) -> list[Interval]:
    """The times that are answered to a question, as wide as they were written."""
    spans = (
        span({f"at{member[5:]}": value}, "at", zone)
        for item in items_of(response or {})
        if item.get("linkId") == link
        for answer in item.get("answer", [])
        for member, value in answer.items()
        if member in ("valueDate", "valueDateTime")
    )
    return [one for one in spans if one is not None]


def agents_answered(response: Resource | None, link: str) -> list[tuple[str, str]]:
    """The codings given to a question about an agent."""
    return [
        coding
        for item in items_of(response or {})
        if item.get("linkId") == link
        for answer in item.get("answer", [])
        for coding in codes_in({"coding": [answer["valueCoding"]]} if "valueCoding" in answer else None)
    ]

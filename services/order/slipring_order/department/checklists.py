"""The department's forms as `checklists.toml` lists them: shipped as Questionnaires, read from their answers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import codes

QUESTIONNAIRE = f"{CANONICAL}/Questionnaire/staff-and-rooms-"
_DAY = 10  # length of yyyy-mm-dd
_TYPES = {
    "check": "boolean",
    "result": "choice",
    "duty": "choice",
    "date": "date",
    "expiry": "date",
    "dose": "quantity",
    "text": "string",
}
_ANSWERS = {"result": f"{CANONICAL}/ValueSet/check-result", "duty": f"{CANONICAL}/ValueSet/staff-role"}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a form."""

    code: str
    type: str
    zh: str
    en: str
    clause: str
    required: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """A form: what it is about, under which clause, and its lines."""

    code: str
    title: str
    zh: str
    clause: str
    subjects: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def canonical(self) -> str:
        """Where it is known, without its version."""
        return QUESTIONNAIRE + self.code


@cache
def checklists() -> Mapping[str, Checklist]:
    """Every form by its code."""
    tree = _file()
    return {code: _read(code, entry) for code, entry in tree.items() if isinstance(entry, dict)}


def version() -> str:
    """The version of the forms."""
    return str(_file()["version"])


def checklist_of(response: Resource) -> Checklist | None:
    """The form that a QuestionnaireResponse answers, in any version; None for other questionnaires."""
    canonical = str(response.get("questionnaire", "")).partition("|")[0]
    return checklists().get(canonical.removeprefix(QUESTIONNAIRE)) if canonical.startswith(QUESTIONNAIRE) else None


def answers(response: Resource) -> dict[str, Any]:
    """The first answer of each item by its linkId, items in groups too."""
    found: dict[str, Any] = {}
    waiting = list(response.get("item", []))
    while waiting:
        item = waiting.pop(0)
        waiting += item.get("item", [])
        for answer in item.get("answer", [])[:1]:
            value = next((value for name, value in answer.items() if name.startswith("value")), None)
            found[str(item.get("linkId"))] = value
    return found


def failed_items(listed: Checklist, response: Resource) -> list[Item]:
    """The lines that say something is not as it must be."""
    given = answers(response)
    return [
        item
        for item in listed.items
        if (item.type == "check" and given.get(item.code) is False)
        or (item.type == "expiry" and _over(given.get(item.code), str(response.get("authored", ""))))
        or (item.type == "result" and "failed" in codes({"coding": [given.get(item.code) or {}]}))
    ]


def expiries(listed: Checklist, response: Resource) -> list[str]:
    """The last days on which what the form lists may be used."""
    given = answers(response)
    return [str(given[item.code]) for item in listed.items if item.type == "expiry" and given.get(item.code)]


def _over(last: Any, authored: str) -> bool:
    return isinstance(last, str) and last[:_DAY] < authored[:_DAY]


def unanswered(listed: Checklist, response: Resource) -> list[Item]:
    """The lines that must be answered and are not."""
    given = answers(response)
    return [item for item in listed.items if item.required and given.get(item.code) is None]


def as_questionnaire(listed: Checklist) -> Resource:
    """The form as a Questionnaire, Chinese with the English beside it."""
    return {
        "resourceType": "Questionnaire",
        "id": f"o-{listed.code}",
        "url": listed.canonical,
        "version": version(),
        "name": "".join(part.capitalize() for part in listed.code.split("-")),
        "title": listed.zh,
        "_title": _also(listed.title),
        "status": "active",
        "subjectType": list(listed.subjects),
        "purpose": listed.clause,
        "item": [_as_item(item) for item in listed.items],
    }


def _as_item(item: Item) -> Resource:
    made: Resource = {
        "linkId": item.code, "text": item.zh, "_text": _also(item.en), "type": _TYPES[item.type], "required": item.required,
    }  # fmt: skip
    if item.type in _ANSWERS:
        made["answerValueSet"] = _ANSWERS[item.type]
    return made


def _also(english: str) -> Resource:
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": english}]
    return {"extension": [{"url": TRANSLATION, "extension": parts}]}


def _read(code: str, entry: Mapping[str, Any]) -> Checklist:
    items = tuple(Item(**{"required": False, "clause": entry["clause"], **item}) for item in entry["item"])
    return Checklist(code, entry["title"], entry["zh"], entry["clause"], tuple(entry["subjects"]), items)


@cache
def _file() -> Mapping[str, Any]:
    with Path(__file__).with_name("checklists.toml").open("rb") as file:
        return tomllib.load(file)

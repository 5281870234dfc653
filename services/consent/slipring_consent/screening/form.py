"""The screening questionnaire as this service ships it, in each of its versions."""

from __future__ import annotations

import json
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file, read_data

QUESTIONNAIRE_ID = "c-contrast-screening-2"
URL = f"{CANONICAL}/Questionnaire/contrast-screening"
NEWEST = "2"
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
_OPEN = "agents"  # what is chosen from the agents' table, or written where the agent is not in it


def questionnaire(version: str = NEWEST) -> Resource:
    """The screening questionnaire, a fresh tree; LookupError for a version that never was."""
    if version == "1":
        tree: Resource = json.loads(read_data("contrast-screening-1.json"))
        return tree
    form = data_file("contrast_screening.toml")
    if version != form["version"]:
        raise LookupError(version)
    return {
        "resourceType": "Questionnaire",
        "id": form["id"],
        "language": "zh-CN",
        "url": URL,
        "version": form["version"],
        "name": "ContrastScreening",
        "title": form["title_zh"],
        "_title": in_english(form["title_en"]),
        "status": "active",
        "experimental": False,
        "subjectType": ["Patient"],
        "date": form["date"].isoformat(),
        "publisher": "slipring",
        "purpose": form["purpose"],
        "copyright": form["source"],
        "item": [_item(entry, form) for entry in form["item"]],
    }


def questionnaire_canonical() -> str:
    """The canonical URL of the newest version, with the version."""
    return f"{URL}|{NEWEST}"


def in_english(text: str) -> Resource:
    """The English beside a Chinese text, as the translation extension says it."""
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": _TRANSLATION, "extension": parts}]}


def _item(entry: dict[str, Any], form: dict[str, Any]) -> Resource:
    answers = entry.get("answers")
    item: Resource = {"linkId": entry["link"]}
    code = next(iter(data_file("history.toml")["fact"].get(entry.get("fact"), {}).get("snomed", [])), None)
    if code:
        item["code"] = [{"system": data_file("history.toml")["systems"]["snomed"][0], "code": code}]
    item |= {"text": entry["zh"], "_text": in_english(entry["en"])}
    item["type"] = entry.get("type") or ("open-choice" if answers == _OPEN else "choice")
    if "when" in entry:
        item["enableWhen"] = [_when(entry["when"], code, form) for code in entry["when"]["any"]]
        if len(item["enableWhen"]) > 1:
            item["enableBehavior"] = "any"
    if entry.get("required"):
        item["required"] = True
    if answers:
        item["answerOption"] = _agents() if answers == _OPEN else _options(form["answers"][answers])
    return item


def _when(when: dict[str, Any], code: str, form: dict[str, Any]) -> Resource:
    asked = next(entry for entry in form["item"] if entry["link"] == when["question"])
    system = form["answers"][asked["answers"]]["system"]
    return {"question": when["question"], "operator": "=", "answerCoding": {"system": system, "code": code}}


def _options(answers: dict[str, Any]) -> list[Resource]:
    return [
        _option(one.get("system", answers["system"]), one["code"], one["zh"], one["en"]) for one in answers["options"]
    ]


def _agents() -> list[Resource]:
    table = data_file("contrast_agents.toml")
    return [_option(table["systems"]["atc"], one["atc"], one["zh"], one["en"]) for one in table["agent"]]


def _option(system: str, code: str, zh: str, en: str) -> Resource:
    return {"valueCoding": {"system": system, "code": code, "display": zh, "_display": in_english(en)}}

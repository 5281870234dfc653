"""The record of a round as a Questionnaire that is served, and what one that is kept says. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring.fhir.terminology.concept import CodeSystem
from slipring.fhir.terminology.own import own_system

from slipring_order.offer.words import in_english, words

EQA = f"{CANONICAL}/Questionnaire/eqa-round"
Answers = dict[str, list[Any]]  # by question, as FHIR has them: codes of a choice, days, decimals, references
_MEMBERS = {
    "choice": "valueCoding",
    "date": "valueDate",
    "decimal": "valueDecimal",
    "reference": "valueReference",
    "string": "valueString",
}


def kinds() -> Mapping[str, Mapping[str, Any]]:
    """The ways of comparison by their codes."""
    return dict(_file()["kind"])


def criteria() -> Mapping[str, Mapping[str, Any]]:
    """The ways in which a result is told by their codes."""
    return dict(_file()["criterion"])


def verdicts() -> Mapping[str, Mapping[str, Any]]:
    """What a round can come to."""
    return dict(_file()["verdict"])


def states() -> Mapping[str, Mapping[str, Any]]:
    """Where a round can stand."""
    return dict(_file()["state"])


def is_round(response: Resource) -> bool:
    """Whether a QuestionnaireResponse is the record of a round."""
    return str(response.get("questionnaire", "")).partition("|")[0] == EQA


def answers(response: Resource) -> Answers:
    """What is said to each question; a choice by its code, a reference as it is written."""
    found: Answers = {}
    for item in response.get("item", []):
        asked = _questions().get(str(item.get("linkId")))
        if asked is None:
            continue
        values = [answer.get(_MEMBERS[asked["type"]]) for answer in item.get("answer", [])]
        member = {"choice": "code", "reference": "reference"}.get(asked["type"])
        told = [value.get(member) if member and value else value for value in values]
        found[asked["code"]] = [one for one in told if one is not None]
    return found


def as_items(said: Answers) -> list[Resource]:
    """The items of a record, in the order of the form."""
    return [
        {
            "linkId": code,
            "text": asked["zh"],
            "answer": [{_MEMBERS[asked["type"]]: _value(asked, one)} for one in said[code]],
        }
        for code, asked in _questions().items()
        if said.get(code)
    ]


def as_response(said: Answers, by: str, *, id: str, now: str) -> Resource:
    """A record that is begun."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "questionnaire": f"{EQA}|{_file()['version']}",
        "status": "in-progress",
        "authored": now,
        "author": {"reference": by},
        "item": as_items(said),
    }


def eqa_questionnaire() -> Resource:
    """The form as it is shipped."""
    file = _file()
    return {
        "resourceType": "Questionnaire",
        "id": f"o-eqa-round-{file['version']}",
        "language": "zh-CN",
        "url": EQA,
        "version": file["version"],
        "name": "EqaRound",
        "title": file["title"]["zh"],
        "_title": in_english(file["title"]["en"]),
        "status": "active",
        "date": file["from"].isoformat(),
        "publisher": "slipring",
        "copyright": file["source"],
        "item": [_item(one) for one in file["question"]],
    }


def code_systems() -> Sequence[CodeSystem]:
    """The tables as code systems."""
    return (
        own_system("eqa-kind", "Way of comparison with others", "室间比对方式", kinds()),
        own_system("eqa-criterion", "How the result of a comparison is told", "室间比对判定方式", criteria()),
        own_system("eqa-verdict", "What a round of comparison came to", "室间比对结论", verdicts()),
    )


def _value(asked: Mapping[str, Any], said: Any) -> Any:
    if asked["type"] == "reference":
        return {"reference": said}
    return _coding(asked["of"], said) if asked["type"] == "choice" else said


def _coding(system: str, code: str) -> Resource:
    return {"system": f"{CANONICAL}/CodeSystem/{system}", "code": code, "display": _names(system)[code]["zh"]}


def _names(system: str) -> Mapping[str, Mapping[str, Any]]:
    if system == "body-system":
        return dict(words()[system]["codes"])
    return dict(_file()[system.removeprefix("eqa-")])


def _item(one: Mapping[str, Any]) -> Resource:
    item: Resource = {"linkId": one["code"], "text": one["zh"], "_text": in_english(one["en"]), "type": one["type"]}
    if one.get("repeats"):
        item["repeats"] = True
    if one["type"] == "choice":
        item["answerOption"] = [{"valueCoding": _coding(one["of"], code)} for code in _names(one["of"])]
    return item


@cache
def _questions() -> Mapping[str, Mapping[str, Any]]:
    return {one["code"]: one for one in _file()["question"]}


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("rounds.toml").read_text(encoding="utf-8"))

"""A rule's finding as a card of advice."""

from __future__ import annotations

import os
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from slipring.fhir.cards import card_id
from slipring.fhir.findings import RULE_RESULT, RULE_SYSTEM, TRANSLATION, rule_of
from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology.own import BETWEEN_SERVICES

Tree = dict[str, Any]
_SUMMARY = 139  # characters: the specification wants fewer than 140
_REASONS = f"{CANONICAL}/CodeSystem/request-override-reason"
_LOINC = "http://loinc.org"
_STATUS = {"not-pregnant": ("LA26683-5", "Not pregnant"), "pregnant": ("LA15173-0", "Pregnant")}


@cache
def table() -> Mapping[str, Any]:
    """The services offered and how findings become cards."""
    return tomllib.loads(resources.files("slipring.front.hooks").joinpath("services.toml").read_text("utf-8"))


def discovery() -> Tree:
    """What `/cds-services` answers."""
    return {"services": [{**service, "prefetch": dict(table()["prefetch"])} for service in table()["service"]]}


def cards_of(parameters: Tree, base: str, language: str, chance: Callable[[int], bytes] = os.urandom) -> list[Tree]:
    """The cards of an answer of `ServiceRequest/$advise`, the gravest first; `base` is the front's address."""
    cards = [
        card
        for advice in parameters.get("parameter", [])
        if advice.get("name") == "advice"
        for card in _of_order(advice.get("part", []), base, language, chance)
    ]
    return sorted(cards, key=lambda card: ("critical", "warning", "info").index(card["indicator"]))


def _of_order(parts: list[Tree], base: str, language: str, chance: Callable[[int], bytes]) -> Iterator[Tree]:
    order = next((str(p["valueReference"]["reference"]) for p in parts if p.get("name") == "order"), "")
    for issue in (part["resource"] for part in parts if part.get("name") == "issue"):
        yield _card(issue, order, base, language, chance)


def _card(issue: Tree, order: str, base: str, language: str, chance: Callable[[int], bytes]) -> Tree:
    rule, result = rule_of(issue), _result(issue)
    zh, en = str(issue.get("detail", "")), _english(issue)
    first, second = (en, zh) if language == "en" else (zh, en)
    indicator = str(table()["indicator"].get(result.get("weight", ""), "info"))
    card: Tree = {
        "uuid": str(card_id(rule, chance(12))),
        "summary": first if len(first) <= _SUMMARY else f"{first[: _SUMMARY - 1]}…",
        "detail": "\n\n".join(filter(None, [first, second, _grounds(result, language), f"`{order}`"])),
        "indicator": indicator,
        "source": {
            "label": table()["shown-as"][language],
            "url": base,
            "topic": {"system": RULE_SYSTEM, "code": rule, "display": en},
        },
    }
    suggestions = list(_suggestions(rule, issue, order, language))
    if suggestions:
        card |= {"suggestions": suggestions, "selectionBehavior": "at-most-one"}
    return card if indicator == "info" else card | {"overrideReasons": _reasons(language)}


def _suggestions(rule: str, issue: Tree, order: str, language: str) -> Iterator[Tree]:
    words, suggests = table()["words"], table()["suggests"]
    if rule in suggests["pregnancy"]:
        for status, (code, display) in _STATUS.items():
            label = words[status][language]
            observation: Tree = {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": _LOINC, "code": "82810-3", "display": "Pregnancy status"}]},
                "basedOn": [{"reference": order}],
                "valueCodeableConcept": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
            } | ({"subject": issue["patient"]} if issue.get("patient") else {})
            yield _suggestion(label, {"type": "create", "description": label, "resource": observation})
    if rule in suggests["withdraw"]:
        label = words["withdraw"][language]
        yield _suggestion(label, {"type": "delete", "description": label, "resourceId": order})


def _suggestion(label: str, action: Tree) -> Tree:
    return {"label": label, "uuid": str(uuid.uuid4()), "actions": [action]}


def _reasons(language: str) -> list[Tree]:
    system = next(system for system in BETWEEN_SERVICES if system.url == _REASONS)
    return [
        {"system": _REASONS, "code": concept.code, "display": concept.zh if language == "zh" else concept.display}
        for concept in system.concepts
    ]


def _grounds(result: Mapping[str, Any], language: str) -> str:
    words = table()["words"]
    said = [f"{words['clause'][language]}: {result.get('clause', '')}"]
    limit: Mapping[str, Any] = result.get("limit", {})
    if limit:
        said.append(f"{limit.get('id')} {limit.get('version')}")
        said += [] if limit.get("confirmed", True) else [words["unconfirmed"][language]]
    return "; ".join(said)


def _result(issue: Tree) -> dict[str, Any]:
    found: Tree = next((one for one in issue.get("extension", []) if one.get("url") == RULE_RESULT), {})
    return _flat(found)


def _flat(extension: Tree) -> dict[str, Any]:
    return {
        str(part["url"]): _flat(part)
        if "extension" in part
        else next((value for name, value in part.items() if name.startswith("value")), None)
        for part in extension.get("extension", [])
    }


def _english(issue: Tree) -> str:
    for extension in issue.get("_detail", {}).get("extension", []):
        if extension.get("url") == TRANSLATION:
            return str(_flat(extension).get("content", ""))
    return ""

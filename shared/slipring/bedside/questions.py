"""A Questionnaire as a form: its questions in order, each with a field name, its choices and when it is asked. Pure.

Any R4 Questionnaire can be drawn: groups (repeating ones too), all answer types but attachment and reference. Field names
come from the place of a question, so that any linkId is fit; `answers.py` reads the fields back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree

_SDC = "http://hl7.org/fhir/StructureDefinition"
_UNITS = (f"{_SDC}/questionnaire-unit", f"{_SDC}/questionnaire-unitOption")
_HIDDEN, _MIN, _MAX = f"{_SDC}/questionnaire-hidden", f"{_SDC}/minValue", f"{_SDC}/maxValue"
_LINE_TYPES = ("string", "text", "url", "integer", "decimal", "date", "dateTime", "time", "quantity")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice; `key` stands for it in a form, `value` is what is answered (`valueCoding`, `valueString` ...)."""

    key: str
    words: Pair
    value: Tree


@dataclass(frozen=True, slots=True)
class Condition:
    """One `enableWhen`: the question it looks at, how, and at which value (as a form says it)."""

    link: str
    operator: str
    key: str
    words: Pair


@dataclass(frozen=True, slots=True)
class Question:
    """One item of the Questionnaire."""

    link: str
    at: str  # its place, such as `3-0`: the beginning of its field names
    type: str
    words: Pair
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    options: Sequence[Option] = ()
    units: Sequence[Option] = ()
    conditions: Sequence[Condition] = ()
    any_condition: bool = False
    longest: int = 0
    least: str = ""
    most: str = ""
    initial: Sequence[Tree] = ()
    items: Sequence[Question] = ()

    @property
    def answerable(self) -> bool:
        """Whether this form can take an answer to it."""
        return self.type in ("boolean", "choice", "open-choice", *_LINE_TYPES) and not self.read_only

    @property
    def when(self) -> str:
        """What it waits for, as the script of the page reads it; '' when it is always asked."""
        told = [[one.link, one.operator, one.key] for one in self.conditions]
        return json.dumps({"any": self.any_condition, "all": told}, ensure_ascii=False) if told else ""


def questions_of(
    items: Iterable[Tree], expansions: Mapping[str, Sequence[Tree]] | None = None, at: str = ""
) -> list[Question]:
    """The questions of a Questionnaire's items; `expansions`: the codings of each value set that an item names."""
    found = []
    for place, item in enumerate(items):
        if any(one.get("url") == _HIDDEN and one.get("valueBoolean") for one in item.get("extension", [])):
            continue
        where = f"{at}-{place}" if at else str(place)
        found.append(_question(item, where, expansions or {}))
    return found


def every(questions: Iterable[Question]) -> Iterable[Question]:
    """All of them, nested ones too, in order."""
    for one in questions:
        yield one
        yield from every(one.items)


def key_of(value: Tree) -> str:
    """An answer as a form says it.

    >>> key_of({"valueCoding": {"system": "s", "code": "Y"}}), key_of({"valueBoolean": True})
    ('s|Y', 'true')
    """
    kind = next((name for name in value if name.startswith(("value", "answer"))), "")
    found: Any = value.get(kind, "")
    if kind.endswith("Coding"):
        return f"{found.get('system', '')}|{found.get('code') or found.get('display', '')}"
    if kind.endswith("Quantity"):
        found = found.get("value", "")
    if isinstance(found, msgspec.Raw):  # a number as it was typed
        return bytes(found).decode()
    return str(found).lower() if isinstance(found, bool) else str(found)


def coding_value(coding: Tree) -> Tree:
    """A coding as an answer: what it means, and its name, without what only a form needs."""
    kept = {name: coding[name] for name in ("system", "version", "code", "display") if coding.get(name)}
    return {"valueCoding": kept}


def value_sets(items: Iterable[Tree]) -> set[str]:
    """The value sets that items take their choices from."""
    found: set[str] = set()
    for item in items:
        found |= {str(item["answerValueSet"])} if item.get("answerValueSet") else set()
        found |= value_sets(item.get("item", []))
    return found


def _question(item: Tree, at: str, expansions: Mapping[str, Sequence[Tree]]) -> Question:
    extensions: dict[str, Any] = {str(one.get("url")): one for one in item.get("extension", [])}
    prefix = f"{item['prefix']} " if item.get("prefix") else ""
    zh, en = names.text_words(item, "text")
    coded = [coding_value(one) for one in expansions.get(str(item.get("answerValueSet", "")), ())]
    options = [_option(one) for one in [*item.get("answerOption", []), *coded]]
    return Question(
        link=str(item["linkId"]),
        at=at,
        type=str(item["type"]),
        words=(f"{prefix}{zh}", f"{prefix}{en}"),
        required=bool(item.get("required")),
        repeats=bool(item.get("repeats")),
        read_only=bool(item.get("readOnly")),
        options=options,
        units=[
            Option(key_of(value), names.coding_words(one["valueCoding"]), value)
            for one in item.get("extension", [])
            if one.get("url") in _UNITS and one.get("valueCoding")
            for value in [coding_value(one["valueCoding"])]
        ],
        conditions=[_condition(one) for one in item.get("enableWhen", [])],
        any_condition=item.get("enableBehavior") == "any",
        longest=int(item.get("maxLength", 0)),
        least=_bound(extensions.get(_MIN)),
        most=_bound(extensions.get(_MAX)),
        initial=item.get("initial", []) or [one for one in item.get("answerOption", []) if one.get("initialSelected")],
        items=questions_of(item.get("item", []), expansions, at),
    )


def _option(option: Tree) -> Option:
    coding = option.get("valueCoding")
    if coding:
        return Option(key_of(option), names.coding_words(coding), coding_value(coding))
    value = {key: found for key, found in option.items() if key.startswith("value")}
    return Option(key_of(option), (key_of(option), key_of(option)), value)


def _condition(condition: Tree) -> Condition:
    coding = condition.get("answerCoding")
    key = key_of(condition)
    words = names.coding_words(coding) if coding else (key, key)
    return Condition(str(condition["question"]), str(condition["operator"]), key, words)


def _bound(extension: Tree | None) -> str:
    return str(next((value for key, value in (extension or {}).items() if key.startswith("value")), ""))

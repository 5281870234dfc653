"""What stands in a form, as the items of a QuestionnaireResponse; and the other way round. Pure.

A field is named `q` and the place of its question (`q3-0`), with `.n` for the n-th answer of a repeating one, `.unit` and
`.other` for what goes with a value. Repeating groups are numbered in the place: `q4#1-0`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from slipring.bedside.enabling import asked
from slipring.bedside.questions import Question, every, key_of
from slipring.department.names import Pair
from slipring.department.road import Tree

MOST_ANSWERS = 20  # of one repeating question, and of one repeating group
_MOST_DIGITS = 18  # FHIR R4, decimal
_NO_NUMBER: Pair = ("请输入数字。", "Type a number.")
_NO_DATE: Pair = ("请输入有效的日期或时间。", "Type a date or time that exists.")
_NO_CHOICE: Pair = ("请从列表中选择。", "Choose one of those listed.")


@dataclass
class Filled:
    """The items to send, what is no answer (by field), and which field each place of the response came from."""

    items: list[Tree] = field(default_factory=list)
    beside: dict[str, Pair] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # `item[0].answer[0]` and `linkId` -> field


def filled(questions: Sequence[Question], form: Mapping[str, str], zone: tzinfo) -> Filled:
    """Read a form; answers to questions that are not asked are left out."""
    found = Filled()
    shown = asked(questions, given(questions, form))
    found.items = _items(questions, form, zone, shown, found, "", "")
    return found


def given(questions: Sequence[Question], form: Mapping[str, str]) -> dict[str, list[str]]:
    """The answers of a form as it says them, by linkId."""
    told: dict[str, list[str]] = {}
    for name, value in form.items():
        if name.startswith("q") and value.strip():
            place = name[1:].partition(".")[0]
            if not name.endswith(".unit"):
                told.setdefault("-".join(part.partition("#")[0] for part in place.split("-")), []).append(value.strip())
    return {one.link: told[one.at] for one in every(questions) if one.at in told}


def as_form(questions: Sequence[Question], items: Sequence[Tree]) -> dict[str, str]:
    """The form that a response stands for."""
    return dict(_fields(questions, items, ""))


def place_of(question: Question, parent: str) -> str:
    """Where a question stands below the numbered place of its group."""
    last = question.at.rpartition("-")[2]
    return f"{parent}-{last}" if parent else last


def _items(
    questions: Sequence[Question], form: Mapping[str, str], zone: tzinfo, shown: set[str], found: Filled,
    parent: str, path: str,
) -> list[Tree]:  # fmt: skip
    items: list[Tree] = []
    for one in questions:
        if one.link not in shown:
            continue
        place = place_of(one, parent)
        found.fields.setdefault(one.link, f"q{place}")
        for number in range(MOST_ANSWERS if one.type == "group" and one.repeats else 1):
            own = f"{place}#{number}" if one.type == "group" and one.repeats else place
            at = f"{path}item[{len(items)}]"
            item: Tree = {"linkId": one.link}
            answers = _answers(one, own, form, zone, found)
            below = _items(one.items, form, zone, shown, found, own, f"{at}.")
            if answers:
                item["answer"] = answers
                found.fields[at] = f"q{own}"
            if below and one.type in ("group", "display"):
                item["item"] = below
            elif below and answers:
                answers[0]["item"] = below
            if answers or below:
                items.append(item)
    return items


def _answers(question: Question, place: str, form: Mapping[str, str], zone: tzinfo, found: Filled) -> list[Tree]:
    if not question.answerable:
        return []
    name = f"q{place}"
    names = [name, *(f"{name}.{number}" for number in range(MOST_ANSWERS))] if question.repeats else [name]
    if question.repeats and question.options:
        names = [f"{name}.{number}" for number in range(len(question.options))]
    answers: list[Tree] = []
    for one in names:
        text = unicodedata.normalize("NFKC", form.get(one, "")) if question.type != "text" else form.get(one, "")
        value = _value(question, text.strip(), form.get(f"{one}.unit", ""), zone)
        if isinstance(value, tuple):
            found.beside[name] = value
        elif value is not None:
            answers.append(value)
    if question.type == "open-choice" and (other := form.get(f"{name}.other", "").strip()):
        answers = [*answers, {"valueString": other}] if question.repeats else [{"valueString": other}]
    return answers


def _value(question: Question, text: str, unit: str, zone: tzinfo) -> Tree | Pair | None:
    """One answer; a pair of words says why it is none."""
    if not text:
        return None
    match question.type:
        case "boolean":
            return {"valueBoolean": text == "true"} if text in ("true", "false") else _NO_CHOICE
        case "choice" | "open-choice":
            chosen = next((one for one in question.options if one.key == text), None)
            return dict(chosen.value) if chosen else _NO_CHOICE
        case "string" | "text":
            return {"valueString": text}
        case "url":
            return {"valueUri": text}
        case "integer" | "decimal" | "quantity":
            return _number(question, text, unit)
    return _when(question.type, text, zone)


def _number(question: Question, text: str, unit: str) -> Tree | Pair:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _NO_NUMBER
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return _NO_NUMBER
    written = msgspec.Raw(f"{number:f}".encode())  # as typed: no float in between
    if question.type == "integer":
        return {"valueInteger": int(number)} if number == number.to_integral_value() else _NO_NUMBER
    if question.type == "decimal":
        return {"valueDecimal": written}
    quantity: dict[str, Any] = {"value": written}
    chosen = next((one for one in question.units if one.key == unit), None) or next(iter(question.units), None)
    if chosen:
        coding = chosen.value["valueCoding"]
        told = {"unit": coding.get("display") or coding.get("code"), "system": coding.get("system")}
        quantity |= {name: value for name, value in {**told, "code": coding.get("code")}.items() if value}
    elif unit:
        quantity["unit"] = unit
    return {"valueQuantity": quantity}


def _when(kind: str, text: str, zone: tzinfo) -> Tree | Pair:
    try:
        match kind:
            case "date":
                return {"valueDate": date.fromisoformat(text).isoformat()}
            case "time":
                return {"valueTime": time.fromisoformat(text).isoformat()}
        at = datetime.fromisoformat(text)
    except ValueError:
        return _NO_DATE
    return {"valueDateTime": (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat(timespec="seconds")}


def _fields(questions: Sequence[Question], items: Sequence[Tree], parent: str) -> Iterator[tuple[str, str]]:
    for one in questions:
        held = [item for item in items if item.get("linkId") == one.link]
        for number, item in enumerate(held):
            place = place_of(one, parent)
            own = f"{place}#{number}" if one.type == "group" and one.repeats else place
            yield from _answered(one, f"q{own}", item.get("answer", []))
            nested = [*item.get("item", []), *(below for a in item.get("answer", []) for below in a.get("item", []))]
            yield from _fields(one.items, nested, own)


def _answered(question: Question, name: str, answers: Sequence[Tree]) -> Iterator[tuple[str, str]]:
    known = [one.key for one in question.options]
    for number, answer in enumerate(answers):
        key = key_of(answer)
        if question.options and key not in known:
            yield f"{name}.other", key
            continue
        at = known.index(key) if question.repeats and known else number
        field_name = f"{name}.{at}" if question.repeats else name
        yield field_name, key
        if unit := answer.get("valueQuantity", {}):
            coded = f"{unit.get('system', '')}|{unit.get('code', '')}"
            yield f"{field_name}.unit", coded if question.units else str(unit.get("unit", ""))

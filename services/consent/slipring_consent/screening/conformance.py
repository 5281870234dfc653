"""Whether a QuestionnaireResponse answers its Questionnaire as FHIR R4 demands (2.9, QuestionnaireResponse). Pure.

Looked at: unknown and repeated questions, types and number of answers, options, `enableWhen`, and in a response that is
complete the answers that are demanded. Each fault points at the element; what was answered is not repeated in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slipring.fhir.service import Resource
from slipring.fhir.terminology import value_set

# The members of an answer that a type of question takes.
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal", "valueInteger"),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding", "valueInteger", "valueDate", "valueTime", "valueString", "valueReference"),
    "open-choice": ("valueCoding", "valueInteger", "valueDate", "valueTime", "valueString", "valueReference"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
    "group": (),
    "display": (),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: which, where (FHIRPath), and in which question of the form."""

    what: str  # unknown | twice | type | option | many | not-asked | missing | too-long
    at: str
    link: str = ""  # only a linkId of the form, never text of the response


def faults_of(response: Resource, questionnaire: Resource, *, complete: bool) -> list[Fault]:
    """Everything that is wrong with the answers; `complete`: what is demanded has to be there, and only what is asked."""
    given = _answers(response.get("item", []))
    form = _Form(given, complete)
    return list(form.level(response.get("item", []), questionnaire.get("item", []), "QuestionnaireResponse.item"))


@dataclass(frozen=True, slots=True)
class _Form:
    """One response against one form: all its answers by linkId, because `enableWhen` may look anywhere."""

    given: Mapping[str, Sequence[Resource]]
    complete: bool

    def level(self, items: Sequence[Resource], asked: Sequence[Resource], path: str) -> Iterator[Fault]:
        """One level of items, and all below it."""
        known = {str(one.get("linkId")): one for one in asked}
        seen: dict[str, int] = {}
        for position, item in enumerate(items):
            at = f"{path}[{position}]"
            link = str(item.get("linkId", ""))
            question = known.get(link)
            if question is None:
                yield Fault("unknown", f"{at}.linkId")
                continue
            seen[link] = seen.get(link, 0) + 1
            if seen[link] > 1 and not (question.get("type") == "group" and question.get("repeats")):
                yield Fault("twice", f"{at}.linkId", link)
                continue
            yield from self._item(item, question, at)
        if self.complete:
            for link, question in known.items():
                if link not in seen and question.get("required") and self.asked(question):
                    yield Fault("missing", f"{path}.where(linkId='{link}')", link)

    def asked(self, question: Resource) -> bool:
        """Whether a question is asked, by what was answered to others."""
        conditions = question.get("enableWhen", [])
        if not conditions:
            return True
        held = [_holds(one, self.given.get(str(one.get("question")), [])) for one in conditions]
        return all(held) if question.get("enableBehavior") == "all" else any(held)

    def _item(self, item: Resource, question: Resource, at: str) -> Iterator[Fault]:
        link, answers = str(question["linkId"]), item.get("answer", [])
        enabled = self.asked(question)
        if self.complete and not enabled and (answers or item.get("item")):
            yield Fault("not-asked", at, link)
        if len(answers) > 1 and not question.get("repeats"):
            yield Fault("many", f"{at}.answer", link)
        valued = [one for one in answers if _member(one)]
        if self.complete and enabled and question.get("required") and not (valued or item.get("item")):
            yield Fault("missing", f"{at}.answer", link)
        below = question.get("item", [])
        for position, answer in enumerate(answers):
            where = f"{at}.answer[{position}]"
            yield from _answer(answer, question, where)
            if answer.get("item") or below:
                yield from self.level(answer.get("item", []), below, f"{where}.item")
        if question.get("type") == "group" or item.get("item"):
            yield from self.level(item.get("item", []), below, f"{at}.item")


def _answer(answer: Resource, question: Resource, at: str) -> Iterator[Fault]:
    """One answer: its type, whether it is one of the options, and its length."""
    link, kind, member = str(question["linkId"]), str(question.get("type")), _member(answer)
    if not member:
        return
    if member not in _MEMBERS.get(kind, ()):
        yield Fault("type", f"{at}.value", link)
        return
    value, options = answer[member], question.get("answerOption", [])
    written = kind == "open-choice" and member == "valueString"
    chosen = any(member in one and _same(one[member], value) for one in options)
    if not written and ((options and not chosen) or not _of_the_set(answer, question)):
        yield Fault("option", f"{at}.value", link)
    longest = question.get("maxLength")
    if isinstance(value, str) and longest is not None and len(value) > longest:
        yield Fault("too-long", f"{at}.value", link)


def _of_the_set(answer: Resource, question: Resource) -> bool:
    """Whether a coding is one of the value set that a question draws on; a set that is not known here is not judged."""
    known = value_set(str(question.get("answerValueSet", "")))
    coding = answer.get("valueCoding")
    return known is None or coding is None or (coding.get("system", ""), coding.get("code", "")) in known.codes


def _member(answer: Resource) -> str:
    return next((name for name in answer if name.startswith("value")), "")


def _same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: a coding by system and code, a number by its value."""
    if isinstance(one, dict) and isinstance(other, dict):
        names: tuple[str, ...] = ("system", "code") if "code" in one or "code" in other else ("display",)
        if "reference" in one or "reference" in other:
            names = ("reference",)
        if "value" in one or "value" in other:
            names = ("value", "system", "code", "unit")
        return all(one.get(name) == other.get(name) for name in names)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _answers(items: Sequence[Resource]) -> dict[str, list[Resource]]:
    """All answers of a response by linkId, nested ones too."""
    found: dict[str, list[Resource]] = {}
    pending = list(items)
    while pending:
        item = pending.pop(0)
        answers = item.get("answer", [])
        found.setdefault(str(item.get("linkId")), []).extend(one for one in answers if _member(one))
        pending.extend(item.get("item", []))
        for answer in answers:
            pending.extend(answer.get("item", []))
    return found


def _holds(condition: Resource, answers: Sequence[Resource]) -> bool:
    """Whether one `enableWhen` holds for the answers to its question."""
    operator = condition.get("operator")
    member = next((name for name in condition if name.startswith("answer")), "")
    wanted = condition.get(member)
    if operator == "exists":
        return bool(answers) == bool(wanted)
    given = [value for one in answers if (value := one.get(f"value{member[6:]}")) is not None]
    if operator == "=":
        return any(_same(wanted, value) for value in given)
    if operator == "!=":
        return not any(_same(wanted, value) for value in given)
    return any(_compares(str(operator), value, wanted) for value in given)


def _compares(operator: str, value: Any, wanted: Any) -> bool:
    """An order between two answers of one type; codes have none."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        if value.get("code") != wanted.get("code") or "value" not in value or "value" not in wanted:
            return False
        value, wanted = value["value"], wanted["value"]
    if not isinstance(value, (int, Decimal, str)) or isinstance(value, str) != isinstance(wanted, str):
        return False
    order = {"<": value < wanted, ">": value > wanted, "<=": value <= wanted, ">=": value >= wanted}
    return bool(order.get(operator, False))

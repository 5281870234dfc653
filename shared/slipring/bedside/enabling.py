"""Which questions are asked, given what is answered so far (`enableWhen`, FHIR R4 Questionnaire). Pure.

A question under one that is not asked is not asked either. The same comparison runs in the browser (`bedside.js`), so that
a question appears as soon as it counts; here it decides what is kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from slipring.bedside.questions import Condition, Question, every

_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def asked(questions: Sequence[Question], given: Mapping[str, Sequence[str]]) -> set[str]:
    """The linkIds that are asked; `given`: the answers so far as a form says them, by linkId."""
    found: set[str] = set()
    known = {one.link: one for one in every(questions)}
    for one in questions:
        found |= _asked(one, given, known)
    return found


def _asked(question: Question, given: Mapping[str, Sequence[str]], known: Mapping[str, Question]) -> set[str]:
    if not holds(question, given):
        return set()
    below: Iterable[str] = (link for one in question.items for link in _asked(one, given, known))
    return {question.link, *below}


def holds(question: Question, given: Mapping[str, Sequence[str]]) -> bool:
    """Whether what a question waits for is so."""
    if not question.conditions:
        return True
    met = [_met(one, given.get(one.link, ())) for one in question.conditions]
    return any(met) if question.any_condition else all(met)


def _met(condition: Condition, answers: Sequence[str]) -> bool:
    if condition.operator == "exists":
        return bool(answers) is (condition.key == "true")
    if condition.operator == "!=":
        return condition.key not in answers
    if condition.operator == "=":
        return any(_same(one, condition.key) for one in answers)
    compare = _ORDERED.get(condition.operator)
    return compare is not None and any(compare(*_comparable(one, condition.key)) for one in answers)


def _same(answer: str, key: str) -> bool:
    left, right = _comparable(answer, key)
    return bool(left == right)


def _comparable(answer: str, key: str) -> tuple[Any, Any]:
    """Both as numbers where both are; dates and times compare as they are written."""
    try:
        return Decimal(answer), Decimal(key)
    except InvalidOperation:
        return answer, key

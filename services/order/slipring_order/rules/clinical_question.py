"""J01: every request says what it is for."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

_NOT_A_WORD = re.compile(r"[\W_]+", re.UNICODE)
_BETWEEN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")  # 复 查 is 复查


@rule("order.clinical-question", clause="CL02-A011:5.4.1", weight="stop", domain="J01")
def states_a_clinical_question(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """Every CT request says which clinical question the scan must answer.

    Without a question nobody can weigh benefit against dose, so the request goes back. A phrase of the
    department's list ("check", "see chart") is no question; a short true complaint such as "chest pain" is.
    """
    if order.coded_reason:
        return None
    written = [text for text in order.question if text.strip()]
    if not written:
        return Hit(
            "申请未写明临床指征或检查目的。",
            "No clinical question is given.",
            at="ServiceRequest.reasonCode",
            inputs={"reasons": 0},
        )
    limit = limits.limit("indication.non-reasons")
    phrases = sorted((_plain(phrase) for phrase in limit.value), key=len, reverse=True)
    if any(_says_something(text, phrases) for text in written):
        return None
    return Hit(
        "申请原因只是套话，未说明需要回答的临床问题。",
        "The reason given is a stock phrase and asks no clinical question.",
        at="ServiceRequest.reasonCode",
        inputs={"reasons": len(written)},
        limit=limit,
    )


def _plain(text: str) -> str:
    words = _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return _BETWEEN_CHINESE.sub("", words)


def _says_something(text: str, phrases: list[str]) -> bool:
    """What is left when stock phrases are taken away holds a letter, and the whole is more than one character."""
    rest = _plain(text)
    if len(rest) <= 1:
        return False
    for phrase in phrases:
        rest = _without(rest, phrase)
    return any(character.isalpha() for character in rest)


def _without(text: str, phrase: str) -> str:
    """Latin phrases end at word borders, Chinese ones may stand anywhere."""
    if not phrase.isascii():
        return text.replace(phrase, " ")
    return re.sub(rf"(?<![a-z0-9]){re.escape(phrase)}(?![a-z0-9])", " ", text)

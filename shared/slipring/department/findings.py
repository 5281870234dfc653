"""What a rule found, as a page tells it: the words, the clause, what the rule saw and which limit it held it against. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipring.department.names import Pair, moment, text_words
from slipring.fhir.findings import RULE_RESULT
from slipring.fhir.service import CANONICAL

_SHAPES = {"stop": "bad", "ask": "warn", "warn": "warn"}
_HEAVIEST_FIRST = ("stop", "ask", "warn", "info")


@dataclass(frozen=True, slots=True)
class Found:
    """One finding; `unconfirmed`: it rests on a number that nobody of the department has confirmed yet."""

    id: str
    words: Pair
    rule: str
    domain: str
    clause: str
    weight: str
    unconfirmed: bool
    inputs: str
    limit: Mapping[str, str]
    at: Any
    answered: tuple[Pair, ...]

    @property
    def shape(self) -> str:
        """How its mark looks."""
        return _SHAPES.get(self.weight, "")

    @property
    def open(self) -> bool:
        """Whether nothing was done about it yet."""
        return not self.answered


def found_in(issues: list[dict[str, Any]]) -> list[Found]:
    """The findings of DetectedIssues, the heaviest first, what was answered last."""
    every = [_found(issue) for issue in issues if issue.get("status") != "entered-in-error"]
    return sorted(every, key=lambda one: (not one.open, _rank(one.weight), one.domain, one.rule))


def _rank(weight: str) -> int:
    return _HEAVIEST_FIRST.index(weight) if weight in _HEAVIEST_FIRST else len(_HEAVIEST_FIRST)


def _found(issue: dict[str, Any]) -> Found:
    result: dict[str, Any] = next((e for e in issue.get("extension", []) if e.get("url") == RULE_RESULT), {})
    parts = {str(part.get("url")): part for part in result.get("extension", [])}
    limit = {
        str(part.get("url")): str(next((value for name, value in part.items() if name.startswith("value")), ""))
        for part in parts.get("limit", {}).get("extension", [])
    }
    codings = issue.get("code", {}).get("coding", [])
    domain = f"{CANONICAL}/CodeSystem/department-rule"
    return Found(
        id=str(issue.get("id", "")),
        words=text_words(issue, "detail"),
        rule=str(parts.get("rule", {}).get("valueCode", "")),
        domain=next((str(c.get("code", "")) for c in codings if c.get("system") == domain), ""),
        clause=str(parts.get("clause", {}).get("valueString", "")),
        weight=str(parts.get("weight", {}).get("valueCode", "")),
        unconfirmed=parts.get("unconfirmed-default", {}).get("valueBoolean") is True
        or limit.get("confirmed") == "False",
        inputs=str(parts.get("inputs", {}).get("valueString", "")),
        limit=limit,
        at=moment(issue.get("identifiedDateTime")),
        answered=tuple(_done(one) for one in issue.get("mitigation", [])),
    )


def _done(mitigation: Mapping[str, Any]) -> Pair:
    action = mitigation.get("action", {})
    english = next((str(c["display"]) for c in action.get("coding", []) if c.get("display")), "")
    said = str(action.get("text", "")) or english
    return said, english or said

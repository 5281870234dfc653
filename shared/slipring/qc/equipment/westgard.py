"""Westgard's rules over a series of standardised values: which rule fires at which value (`charts.toml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipring.qc.equipment.charts import rules


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that fired; `warning`: it only asks to look at the others."""

    code: str
    warning: bool


def flags(scores: Sequence[float]) -> list[tuple[Flag, ...]]:
    """For each value, in standard deviations from the centre, the rules that fire with it as their last.

    >>> [[flag.code for flag in at] for at in flags([0.5, 2.4, 2.1])]
    [[], ['1-2s'], ['2-2s', '1-2s']]
    """
    told = rules()
    reach = max(int(rule["of"]) for rule in told)
    return [
        tuple(_flag(rule) for rule in told if _fires(rule, scores[max(0, end - reach) : end]))
        for end in range(1, len(scores) + 1)
    ]


def _flag(rule: Mapping[str, Any]) -> Flag:
    return Flag(str(rule["code"]), bool(rule.get("warning", False)))


def _fires(rule: Mapping[str, Any], scores: Sequence[float]) -> bool:
    """Beyond is strict: a value on the line is within."""
    last = scores[-int(rule["of"]) :]
    if len(last) < rule["of"]:
        return False
    if "apart" in rule:
        low, high = min(last), max(last)
        each = float(rule["each"])
        return low < -each and high > each and high - low > float(rule["apart"])
    beyond = float(rule["beyond"])
    return all(score > beyond for score in last) or all(score < -beyond for score in last)

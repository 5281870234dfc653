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
    return [_at(scores[: number + 1]) for number in range(len(scores))]


def flags_within(scores: Sequence[float]) -> tuple[Flag, ...]:
    """The rules that values of one and the same round break together, such as two inserts or two levels of a control."""
    found = [_flag(rule) for rule in rules() if rule["of"] > 1 and _fires(rule, scores)]
    alone = [_flag(rule) for rule in rules() if rule["of"] == 1 and any(_fires(rule, [one]) for one in scores)]
    return tuple(sorted(found + alone, key=lambda flag: [str(rule["code"]) for rule in rules()].index(flag.code)))


def _at(scores: Sequence[float]) -> tuple[Flag, ...]:
    return tuple(_flag(rule) for rule in rules() if _fires(rule, scores))


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

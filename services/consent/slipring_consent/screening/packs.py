"""A policy pack: what one guideline says about each screening rule, with citation, advice and confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from slipring.rules.finding import Limit, Weight

from slipring_consent.catalogue import data_file

_SAID_BESIDE = frozenset({"citation", "confidence", "advice", "questions"})


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy pack as the rules see it: per rule its effects, limits, advice, citation and confidence."""

    id: str
    since: date = date.min
    confirmed: bool = False  # a named person of the department confirmed the unconfirmed numbers
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    zh: str = ""
    en: str = ""
    own: Mapping[str, str] = field(
        default_factory=dict
    )  # rules that the department has set for itself -> set and version

    def entry(self, rule: str) -> Mapping[str, Any]:
        """What the pack says about one rule; empty when it says nothing."""
        return self.rules.get(rule, {})

    def effect(self, rule: str, case: str) -> Weight | None:
        """How much this case of the rule weighs in the pack; None when the pack is silent."""
        named = self.entry(rule).get(case)
        return Weight(named) if named else None

    def advice(self, rule: str, case: str) -> tuple[str, str]:
        """What the pack advises in this case, in Chinese and in English; guidance to read, never an order."""
        said = self.entry(rule).get("advice", {}).get(case, {})
        return str(said.get("zh", "")), str(said.get("en", ""))

    def limit(self, rule: str) -> Limit:
        """The pack's entry as a limit, so that a finding names its source and whether it is confirmed."""
        entry = self.entry(rule)
        confidence = str(entry.get("confidence", "U"))
        return Limit(
            id=f"{self.id}:{rule}",
            value={name: value for name, value in entry.items() if name not in _SAID_BESIDE},
            source=f"{'set of the department, approved by two; ' if rule in self.own else ''}{entry.get('citation', '')}",
            confidence=confidence,
            since=self.since,
            confirmed=self.confirmed or confidence.startswith("S") or rule in self.own,
            of=self.own.get(rule, ""),
        )


@cache
def pack_names() -> tuple[str, ...]:
    """The packs that can be chosen."""
    folder = files("slipring_consent").joinpath("data", "packs")
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml")))


def policy_pack(name: str, *, confirmed: bool = False) -> Policy:
    """The policy pack with this name; an unknown name is a configuration error."""
    pack = data_file("packs", f"{name}.toml")
    return Policy(pack["id"], pack["effective_from"], confirmed, pack["rule"], pack["title_zh"], pack["title_en"])

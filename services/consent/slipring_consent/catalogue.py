"""The data files of this service: contrast agents, contrast exams, policy packs, the questionnaire."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from slipring.fhir.service import Resource
from slipring.rules.finding import Limit, Weight

Coding = tuple[str, str]  # system, code
QUESTIONNAIRE_ID = "c-contrast-screening-1"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy pack as the rules see it: per rule its effects, limits, citation and confidence."""

    id: str
    since: date = date.min
    confirmed: bool = False  # a named person of the department confirmed the unconfirmed numbers
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def entry(self, rule: str) -> Mapping[str, Any]:
        """What the pack says about one rule; empty when it says nothing."""
        return self.rules.get(rule, {})

    def effect(self, rule: str, case: str) -> Weight | None:
        """How much this case of the rule weighs in the pack; None when the pack is silent."""
        named = self.entry(rule).get(case)
        return Weight(named) if named else None

    def limit(self, rule: str) -> Limit:
        """The pack's entry as a limit, so that a finding names its source and whether it is confirmed."""
        entry = self.entry(rule)
        confidence = str(entry.get("confidence", "U"))
        return Limit(
            id=f"{self.id}:{rule}",
            value={name: value for name, value in entry.items() if name not in ("citation", "confidence")},
            source=str(entry.get("citation", "")),
            confidence=confidence,
            since=self.since,
            confirmed=self.confirmed or confidence.startswith("S"),
        )


def _read(*path: str) -> str:
    return files("slipring_consent").joinpath("data", *path).read_text(encoding="utf-8")


@cache
def data_file(*path: str) -> dict[str, Any]:
    """One TOML data file of this service, read once."""
    return tomllib.loads(_read(*path))


def policy_pack(name: str, *, confirmed: bool = False) -> Policy:
    """The policy pack with this name; an unknown name is a configuration error."""
    pack = data_file("packs", f"{name}.toml")
    return Policy(pack["id"], pack["effective_from"], confirmed, pack["rule"])


@cache
def _questionnaire_text() -> str:
    return _read("contrast-screening.json")


def questionnaire() -> Resource:
    """The screening questionnaire in its current version, a fresh tree."""
    tree: Resource = json.loads(_questionnaire_text())
    return tree


def questionnaire_canonical() -> str:
    """The questionnaire's canonical URL with its version."""
    tree = questionnaire()
    return f"{tree['url']}|{tree['version']}"


def is_contrast_agent(codings: Iterable[Coding]) -> bool:
    """Whether one of the codes is a contrast agent: the ATC group, or an agent's SNOMED CT code."""
    catalogue = data_file("contrast_agents.toml")
    atc, snomed = catalogue["systems"]["atc"], catalogue["systems"]["snomed"]
    named = {agent["snomed"] for agent in catalogue["agent"] if "snomed" in agent}
    prefix = catalogue["group"]["atc_prefix"]
    return any(
        (system == atc and code.startswith(prefix)) or (system == snomed and code in named) for system, code in codings
    )


def is_contrast_allergy(codings: Iterable[Coding]) -> bool:
    """Whether an allergy is one to contrast: to the group, or to one of the agents."""
    found = list(codings)
    catalogue = data_file("contrast_agents.toml")
    groups = {(catalogue["systems"]["snomed"], entry["snomed"]) for entry in catalogue["allergy"]}
    return is_contrast_agent(found) or any(coding in groups for coding in found)


def is_contrast_exam(codings: Iterable[Coding]) -> bool:
    """Whether the exam's own code says that it is done with contrast."""
    catalogue = data_file("contrast_exams.toml")
    return any(system == catalogue["system"] and code in catalogue["codes"] for system, code in codings)

"""What makes a drug contrast, an allergy one to contrast, and an exam one that is planned with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from slipring.fhir.service import Resource
from slipring.rules.contrast import names_contrast_allergy

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in

Coding = tuple[str, str]  # system, code


@dataclass(frozen=True, slots=True)
class Agent:
    """One iodinated agent of the table: its code, its names, and the strengths it is sold in (mg of iodine per ml)."""

    atc: str
    zh: str
    en: str
    strengths: tuple[Decimal, ...] = ()


def agent_named(codings: Iterable[Coding], texts: Iterable[str] = ()) -> Agent | None:
    """The agent that codes name, or else a name or trade name in the texts; a group of agents is none."""
    by_code, by_name = _agents()
    for coding in codings:
        if coding in by_code:
            return by_code[coding]
    said = [text.casefold() for text in texts if text]
    return next((agent for name, agent in by_name if any(name in text for text in said)), None)


@cache
def _agents() -> tuple[dict[Coding, Agent], list[tuple[str, Agent]]]:
    written = data_file("contrast_agents.toml")
    by_code: dict[Coding, Agent] = {}
    by_name: list[tuple[str, Agent]] = []
    for entry in written["agent"]:
        strengths = tuple(Decimal(str(sold["mg_per_ml"])) for sold in entry["iodine"])
        agent = Agent(entry["atc"], entry["zh"], entry["en"], strengths)
        by_code |= {(system, entry[name]): agent for name, system in written["systems"].items() if name in entry}
        by_name += [(name.casefold(), agent) for name in (entry["zh"], entry["en"], *entry["trade_names"])]
    return by_code, by_name


def is_contrast_agent(codings: Iterable[Coding]) -> bool:
    """Whether one of the codes is a contrast agent: the ATC group, or an agent's SNOMED CT code."""
    catalogue = data_file("contrast_agents.toml")
    atc, snomed = catalogue["systems"]["atc"], catalogue["systems"]["snomed"]
    named = {agent["snomed"] for agent in catalogue["agent"] if "snomed" in agent}
    prefix = catalogue["group"]["atc_prefix"]
    return any(
        (system == atc and code.startswith(prefix)) or (system == snomed and code in named) for system, code in codings
    )


def is_contrast_allergy(allergy: Resource) -> bool:
    """Whether an allergy is one to iodinated contrast: to the group, or to one of the agents, by code or in words."""
    return names_contrast_allergy(*_substances(allergy))


def agent_of_allergy(allergy: Resource) -> str:
    """The ATC code of the agent that an allergy names, by code or in words; empty for the group."""
    concepts = [one for one in _substances(allergy) if one]
    coded = agent_of(coding for one in concepts for coding in codes_in(one))
    texts = [str(text) for one in concepts for text in (one.get("text"), *_displays(one)) if text]
    named = None if coded else agent_named((), texts)
    return coded or (named.atc if named else "")


def _substances(allergy: Resource) -> list[Resource | None]:
    return [allergy.get("code"), *(reaction.get("substance") for reaction in allergy.get("reaction", []))]


def _displays(concept: Resource) -> list[str]:
    return [str(coding.get("display", "")) for coding in concept.get("coding", [])]


def is_contrast_exam(codings: Iterable[Coding]) -> bool:
    """Whether the exam's own code says that it is done with contrast."""
    catalogue = data_file("contrast_exams.toml")
    return any(system == catalogue["system"] and code in catalogue["codes"] for system, code in codings)


def agent_of(codings: Iterable[Coding]) -> str:
    """The ATC code of the agent that the codes name; empty for the group, or for something else."""
    catalogue = data_file("contrast_agents.toml")
    by_code = {
        (system, agent[name]): str(agent["atc"])
        for name, system in catalogue["systems"].items()
        for agent in catalogue["agent"]
        if name in agent
    }
    found = list(codings)
    known = next((by_code[coding] for coding in found if coding in by_code), "")
    atc, prefix = catalogue["systems"]["atc"], catalogue["group"]["atc_prefix"]
    whole = len("V08AB02")  # a chemical substance, not a group
    others = (code for system, code in found if system == atc and code.startswith(prefix) and len(code) == whole)
    return known or next(others, "")

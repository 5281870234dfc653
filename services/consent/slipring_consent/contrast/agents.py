"""What makes a drug contrast, an allergy one to contrast, and an exam one that is planned with it."""

from __future__ import annotations

from collections.abc import Iterable

from slipring_consent.catalogue import data_file

Coding = tuple[str, str]  # system, code


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

"""The codes of the consent service as code systems; contrast agents and contrast exams as value sets."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology import Concept, ValueSet
from slipring.fhir.terminology.own import BETWEEN_SERVICES, read_code_systems
from slipring.quality.life import STATES
from slipring.staff.vocabulary import STAFF

from slipring_consent.catalogue import data_file

CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    STATES,
    *read_code_systems(Path(__file__).parent / "data" / "vocabulary.toml"),
    *read_code_systems(Path(__file__).parent / "data" / "reaction_vocabulary.toml"),
)


def _agents() -> tuple[Concept, ...]:
    written = data_file("contrast_agents.toml")
    return tuple(
        Concept(system, agent[name], agent["en"], agent["zh"])
        for name, system in written["systems"].items()
        for agent in written["agent"]
        if name in agent
    )


def _exams() -> tuple[Concept, ...]:
    written = data_file("contrast_exams.toml")
    return tuple(Concept(written["system"], code) for code in written["codes"])


VALUE_SETS = (
    ValueSet(f"{CANONICAL}/ValueSet/contrast-agents", "ContrastAgents", "Iodinated agents", _agents(), "碘对比剂"),
    ValueSet(f"{CANONICAL}/ValueSet/contrast-exams", "ContrastExams", "CT with contrast", _exams(), "增强 CT 检查"),
)

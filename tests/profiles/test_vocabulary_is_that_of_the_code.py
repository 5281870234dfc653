"""Every code system and extension that the code names is declared, with the codes that the tables hold."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import slipring
from slipring.fhir.service import CANONICAL
from slipring.process import installed_services
from slipring.signing.policy import ROLES
from slipring_consent.gate.policy import policy_on
from slipring_critical.lifecycle import TASK_STATUS
from slipring_critical.lifecycle import TRANSITIONS as CASE
from slipring_order.catalogue import items
from slipring_order.lifecycle import TRANSITIONS as EXAM

ROOT = Path(slipring.__file__).parents[2]
# Open lists: rule ids, clause numbers and the kinds of refusal are no closed vocabulary.
OPEN = {"clause", "department-rule", "issue", "rule"}
SYSTEMS = {
    url: one for service in installed_services().values() for url, one in ((c.url, c) for c in service.code_systems)
}
PROFILES = {one.id: one for service in installed_services().values() for one in service.profiles}


def named(kind: str) -> set[str]:
    """The ends of our own addresses of this kind in the code."""
    pattern = re.compile(rf"(?:\{{CANONICAL\}}|slipring\.example/fhir)/{kind}/([a-z][a-z0-9-]*)")
    return {name for text in sources() for name in pattern.findall(text)}


def sources() -> Iterator[str]:
    for folder in ("shared/slipring", "services"):
        for file in (ROOT / folder).rglob("*.py"):
            if "tests" not in file.parts:
                yield file.read_text("utf-8")


def codes(name: str) -> set[str]:
    return set(SYSTEMS[f"{CANONICAL}/CodeSystem/{name}"].by_code)


def test_every_code_system_that_the_code_names_is_declared() -> None:
    declared = {url.rpartition("/")[2] for url in SYSTEMS}
    assert named("CodeSystem") - OPEN - declared == set()


def test_every_extension_that_the_code_names_is_declared() -> None:
    assert named("StructureDefinition") - set(PROFILES) == set()


def test_the_states_are_those_of_the_tables() -> None:
    assert codes("exam-state") == {s for line in EXAM for s in (line.state, line.next)}
    assert codes("case-state") == {s for line in CASE for s in (line.state, line.next)} | set(TASK_STATUS)


def test_the_lists_are_those_the_rules_run_on() -> None:
    assert codes("override-reason") == set(policy_on(date(2026, 11, 26)).reasons)
    assert codes("signing-role") == set(ROLES)
    assert codes("missing-item") == set(items())


def test_every_code_has_both_names_and_every_profile_a_sentence() -> None:
    for system in SYSTEMS.values():
        assert system.concepts
        assert all(concept.display and concept.zh for concept in system.concepts)
        assert system.title
        assert system.zh
    for profile in PROFILES.values():
        assert profile.description.endswith(".")
        assert profile.title
        assert profile.zh


def test_every_binding_of_a_profile_is_shipped_and_every_extension_it_uses_is_declared() -> None:
    sets = {url.replace("/CodeSystem/", "/ValueSet/") for url in SYSTEMS}
    for profile in PROFILES.values():
        for element in profile.element:
            if "valueSet" in element:
                assert element["valueSet"] in sets
            if "profile" in element and element["profile"].startswith(CANONICAL):
                assert element["profile"].rpartition("/")[2] in PROFILES

"""The register is whole, and what names a clause names one that is there."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path

import pytest
from slipring.clauses.register import Clause, is_known, named_by, register

from tests.architecture.tree import ROOT

sys.path.insert(0, str(ROOT / "docs"))
names = importlib.import_module("clause_names")

EXPECTED = tomllib.loads(Path(__file__).with_name("expected.toml").read_text(encoding="utf-8"))
DUTIES = [
    (service, clause)
    for service in ("order", "report")
    for clause in register().of(service)
    if clause.kinds != ("procedure",)
]


def shown(clause: Clause) -> list[str]:
    """The tests that name this row."""
    return [place for label, places in names.tests_by_label().items() if clause in named_by(label) for place in places]


def test_the_register_has_every_row_of_the_list_and_no_other() -> None:
    listed = [*EXPECTED["answered"], *EXPECTED["without_duty"]]
    assert sorted(clause.id for clause in register().clauses) == sorted(listed)
    assert len(listed) == len(set(listed))


def test_rows_without_a_duty_are_procedures_and_no_others_are_without_a_service() -> None:
    without = {clause.id for clause in register().clauses if not clause.services}
    assert without == set(EXPECTED["without_duty"])
    assert all(clause.kinds == ("procedure",) for clause in register().clauses if clause.id in without)


@pytest.mark.parametrize(("service", "clause"), DUTIES, ids=lambda one: one if isinstance(one, str) else one.id)
def test_a_row_of_order_or_report_has_a_test_that_names_it(service: str, clause: Clause) -> None:
    assert shown(clause), f"no test carries @pytest.mark.clause for {clause.id} of {service}"


def test_every_label_that_a_test_carries_is_in_the_register() -> None:
    assert {label: places for label, places in names.tests_by_label().items() if not is_known(label)} == {}


def test_every_clause_that_data_and_code_name_is_in_the_register() -> None:
    named = [*names.labels_in_data(), *names.labels_in_code()]
    assert len(named) > 80
    assert {(label, place) for label, place in named if not is_known(label)} == set()


@pytest.mark.parametrize("service", names.SERVICES)
def test_every_rule_names_a_clause_of_the_register_and_has_cases(service: str) -> None:
    counts = names.case_counts()
    rules = names.rules_of(service)
    assert rules
    for rule in rules.values():
        assert is_known(rule.clause), rule.id
        assert counts[rule.id] >= 2, rule.id

"""Every rule about the department as a whole against its own cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import slipring_order.department.rules as rules_room
import slipring_order.settings as order_settings
from slipring.rules.cases import Case, load_cases, verdict
from slipring.rules.limits import LimitBook
from slipring_order.department.facts import DepartmentFacts
from slipring_order.department.rules import DEPARTMENT_RULES

ROOM = Path(rules_room.__file__).parent
LIMITS = Path(order_settings.__file__).with_name("limits.toml")
RULES = {rule.id: rule for rule in DEPARTMENT_RULES}
CASES = [case for file in sorted(ROOM.glob("*.toml")) for case in load_cases(file)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_finds_what_its_case_says(case: Case) -> None:
    limits = LimitBook.load(LIMITS).on(date(2026, 3, 2))
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in case.facts.items()}
    finding = RULES[case.rule](DepartmentFacts(**given), limits, datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert verdict(case, finding) == ""


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_has_a_clause_a_promise_and_a_case_of_each_kind(rule: Any) -> None:
    own = [case for case in CASES if case.rule == rule.id]
    assert rule.clause and rule.promise
    assert any(case.finds for case in own), "no case that fires"
    assert any(case.finds is None for case in own), "no case that passes"

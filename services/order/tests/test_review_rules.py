"""Every rule on the figures of a period against its own cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import slipring_order.review.rules as rules_room
from slipring.rules.cases import Case, load_cases, verdict
from slipring_order.review.facts import ComplaintFacts, StaffingFacts
from slipring_order.review.rules import COMPLAINT_RULES, STAFFING_RULES
from slipring_order.settings import OrderSettings

CASES = [case for file in sorted(Path(rules_room.__file__).parent.glob("*.toml")) for case in load_cases(file)]
RULES: dict[str, Any] = {rule.id: rule for rule in (*STAFFING_RULES, *COMPLAINT_RULES)}
FACTS: dict[str, Any] = {rule.id: StaffingFacts for rule in STAFFING_RULES} | {
    rule.id: ComplaintFacts for rule in COMPLAINT_RULES
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_finds_what_its_case_says(case: Case) -> None:
    limits = OrderSettings().limits.on(date(2026, 3, 2))
    finding = RULES[case.rule](FACTS[case.rule](**case.facts), limits, datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert verdict(case, finding) == ""


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_has_a_clause_a_promise_and_a_case_of_each_kind(rule: Any) -> None:
    own = [case for case in CASES if case.rule == rule.id]
    assert rule.clause and rule.promise
    assert any(case.finds for case in own), "no case that fires"
    assert any(case.finds is None for case in own), "no case that passes"

"""Every rule against its case file; every rule has a passing and a finding case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import slipring_critical.rules
from slipring.rules.cases import Case, load_cases, verdict
from slipring.rules.rulebook import Rule
from slipring_critical.rules import FLAG_RULES, NO_LIMITS, READ_BACK_RULES
from slipring_critical.rules.read_back import ReadBackFacts
from slipring_critical.rules.what_is_critical import FlagFacts, level_of

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
FOLDER = Path(slipring_critical.rules.__file__).parent
CASES = [case for path in sorted(FOLDER.glob("*.toml")) for case in load_cases(path)]
RULES: dict[str, tuple[Rule[Any], type]] = {
    **{rule.id: (rule, FlagFacts) for rule in FLAG_RULES},
    **{rule.id: (rule, ReadBackFacts) for rule in READ_BACK_RULES},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_finds_what_its_case_says(case: Case) -> None:
    rule, facts = RULES[case.rule]

    assert not verdict(case, rule(facts(**case.facts), NO_LIMITS.on(NOW.date()), NOW))


@pytest.mark.parametrize("rule_id", RULES)
def test_every_rule_has_a_case_that_passes_and_one_that_finds(rule_id: str) -> None:
    found = {case.finds is None for case in CASES if case.rule == rule_id}

    assert found == {True, False}
    assert RULES[rule_id][0].promise


@pytest.mark.parametrize(
    ("finding", "level", "rings"),
    [
        ("CV-CT-07", "", "1"),
        ("CV-CT-07", "2", "2"),
        ("CV-MR-01", "3", "3"),
        ("CV-MR-01", "", "1"),
        ("CV-CT-07", "x", "1"),
    ],
)
def test_a_level_nobody_knows_rings_as_the_most_urgent(finding: str, level: str, rings: str) -> None:
    assert level_of(FlagFacts(finding, level)) == rings

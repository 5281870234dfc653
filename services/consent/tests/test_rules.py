"""Every rule of consent does what its case file says."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from slipring.rules.cases import Case, load_cases, verdict
from slipring.rules.limits import LimitBook
from slipring.rules.rulebook import Rule
from slipring_consent import rules
from slipring_consent.consenting.exception_facts import ExceptionFacts
from slipring_consent.consenting.facts import ConsentFacts
from slipring_consent.consenting.withdrawal import WithdrawalFacts
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.record import RecordFacts
from slipring_consent.gate.facts import GateFacts
from slipring_consent.observing.facts import ReleaseFacts
from slipring_consent.reactions.facts import ReactionFacts
from slipring_consent.readiness.facts import ReadinessFacts
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.packs import policy_pack

PACKAGE = Path(rules.__file__).parent
LIMITS = LimitBook.load(PACKAGE.parent / "data" / "limits.toml").on(date(2026, 3, 2))
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BOOK = {
    each.id: (each, facts)
    for listed, facts in (
        (rules.ASSESSMENT_RULES, ScreeningFacts),
        (rules.CONSENT_RULES, ConsentFacts),
        (rules.EXCEPTION_RULES, ExceptionFacts),
        (rules.WITHDRAWAL_RULES, WithdrawalFacts),
        (rules.GATE_RULES, GateFacts),
        (rules.REACTION_RULES, ReactionFacts),
        (rules.RELEASE_RULES, ReleaseFacts),
        (rules.CONTRAST_RULES, ContrastFacts),
        (rules.RECORD_RULES, RecordFacts),
        (rules.READINESS_RULES, ReadinessFacts),
    )
    for each in listed
}
FILES = sorted(PACKAGE.rglob("*.toml"))
CASES = [pytest.param(case, id=f"{case.rule}: {case.name}") for file in FILES for case in load_cases(file)]


@pytest.mark.parametrize("case", CASES)
def test_a_rule_finds_what_its_case_says(case: Case) -> None:
    rule, facts_type = BOOK[case.rule]
    facts = facts_type(**{name: _typed(value) for name, value in case.facts.items()})
    if isinstance(facts, ScreeningFacts):
        facts = replace(facts, policy=policy_pack(case.also.get("pack", "esur-10"), confirmed=case.confirmed))
    assert verdict(case, rule(facts, LIMITS, NOON)) == ""


@pytest.mark.parametrize("rule_id", BOOK)
def test_every_rule_has_a_passing_and_a_finding_case_and_a_promise(rule_id: str) -> None:
    cases = [case for file in FILES for case in load_cases(file) if case.rule == rule_id]
    assert {bool(case.finds) for case in cases} == {True, False}
    assert BOOK[rule_id][0].promise


def test_every_rule_module_is_listed() -> None:
    modules = {file.with_suffix("").relative_to(PACKAGE) for file in PACKAGE.rglob("*.py") if file.stem != "__init__"}
    assert modules == {file.with_suffix("").relative_to(PACKAGE) for file in FILES}
    defined = {
        thing.id
        for name in modules
        for thing in vars(import_module(".".join(("slipring_consent.rules", *name.parts)))).values()
        if isinstance(thing, Rule)
    }
    assert defined == set(BOOK)


def test_the_chinese_pack_stops_metformin_whatever_the_kidneys_do() -> None:
    facts = ScreeningFacts(metformin="yes", egfr_ml_min=Decimal(80), policy=policy_pack("csr-2"))
    rule = BOOK["consent.metformin"][0]
    assert rule(facts, LIMITS, NOON) is not None
    assert rule(replace(facts, policy=policy_pack("esur-10")), LIMITS, NOON) is None


def _typed(value: object) -> object:
    """TOML numbers as the facts hold them."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, float):
        return Decimal(str(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) and value > 1 else value

"""Every rule on signing fires and stays silent where its cases say so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import slipring_report.rules as rules
from slipring.clauses.critical_findings import critical_findings
from slipring.rules.cases import Case, load_cases, verdict
from slipring.rules.limits import LimitBook
from slipring_report.drafts.reactions import DraftFacts, Reaction
from slipring_report.signatures.facts import Mismatch, Signer, SigningFacts

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FILES = sorted(Path(rules.__file__).parent.rglob("*.toml"))
RULES = {each.id: each for each in (*rules.DRAFT_RULES, *rules.SIGNING_RULES)}
OF_DRAFTS = {each.id for each in rules.DRAFT_RULES}


def a_signer(said: Mapping[str, Any]) -> Signer:
    return Signer(said["person"], tuple(said.get("licences", ())), said.get("level", ""), said.get("rank", 0))


def facts_of(case: Case) -> Any:
    if case.rule in OF_DRAFTS:
        return DraftFacts(tuple(Reaction(**each) for each in case.facts["reactions"]))
    earlier = tuple(a_signer(each) for each in case.facts.get("earlier", ()))
    return SigningFacts(
        signer=a_signer(case.facts),
        role=case.facts["role"],
        number=len(earlier) + 1,
        chain_length=2,
        earlier=earlier,
        lacks_zh=tuple(case.facts.get("lacks_zh", ())),
        lacks_en=tuple(case.facts.get("lacks_en", ())),
        mismatches=tuple(Mismatch(**each) for each in case.facts.get("mismatches", ())),
    )


@pytest.mark.parametrize(
    "case", [case for file in FILES for case in load_cases(file)], ids=lambda case: f"{case.rule}: {case.name}"
)
def test_the_rule_finds_what_its_case_says(case: Case) -> None:
    finding = RULES[case.rule](facts_of(case), LimitBook({}).on(NOW.date()), NOW)
    assert verdict(case, finding) == ""


def test_every_rule_has_a_promise_and_cases_of_both_kinds() -> None:
    for each in RULES.values():
        cases = [case for file in FILES for case in load_cases(file) if case.rule == each.id]
        assert each.promise and each.clause.startswith("CL02-A011:")
        assert {case.finds is None for case in cases} == {True, False}


def test_every_finding_of_the_catalogue_can_be_flagged() -> None:
    assert all(entry.level in (1, 2, 3) for entry in critical_findings().values())

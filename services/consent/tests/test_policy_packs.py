"""Whole patients from published examples go through the policy packs, and come out as the guidelines say."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from slipring.rules.finding import Weight
from slipring.rules.limits import LimitBook
from slipring_consent import catalogue
from slipring_consent.rules import ASSESSMENT_RULES
from slipring_consent.screening.assessing import CLEARED, assess, disagreements
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.form import questionnaire
from slipring_consent.screening.packs import pack_names, policy_pack

DATA = Path(catalogue.__file__).parent / "data"
LIMITS = LimitBook.load(DATA / "limits.toml").on(date(2026, 3, 2))
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
COMPARED = tomllib.loads((DATA / "packs" / "cases" / "compared.toml").read_text(encoding="utf-8"))
OWN = {
    name: tomllib.loads((DATA / "packs" / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    for name in pack_names()
}
ALONE = [pytest.param(name, case, id=f"{name}: {case['name']}") for name, cases in OWN.items() for case in cases]
TOGETHER = [pytest.param(case, id=case["name"]) for case in COMPARED["case"]]


def patient(changed: Mapping[str, Any]) -> ScreeningFacts:
    """A healthy woman of forty-five, but for what is changed; "none" takes a value away."""
    facts = {**COMPARED["healthy"], **changed}
    facts["egfr_ml_min"] = None if facts["egfr_ml_min"] == "none" else Decimal(facts["egfr_ml_min"])
    return ScreeningFacts(**{name: tuple(one) if isinstance(one, list) else one for name, one in facts.items()})


@pytest.mark.clause("5.3.2.5")
@pytest.mark.parametrize(("name", "case"), ALONE)
def test_a_patient_comes_out_as_the_guideline_says(name: str, case: Mapping[str, Any]) -> None:
    found = assess(patient(case["facts"]), policy_pack(name), LIMITS, NOON)
    assert {one.rule: str(one.weight) for one in found.findings} == case.get("finds", {})
    assert found.clearance == case["clearance"]
    assert case["source"]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("case", TOGETHER)
def test_the_packs_agree_and_disagree_about_a_patient_as_their_guidelines_do(case: Mapping[str, Any]) -> None:
    found = [assess(patient(case["facts"]), policy_pack(name), LIMITS, NOON) for name in pack_names()]
    assert {one.policy.id: one.clearance for one in found} == case["clearance"]
    assert sorted(one.rule for one in disagreements(found)) == sorted(case["disagrees"])


@pytest.mark.parametrize("name", pack_names())
def test_each_pack_has_at_least_five_passing_and_five_finding_patients_with_their_source(name: str) -> None:
    cleared = [case["clearance"] == CLEARED for case in OWN[name]]
    assert (cleared.count(True) >= 5, cleared.count(False) >= 5) == (True, True)


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_speaks_of_known_rules_in_both_languages_with_its_source(name: str) -> None:
    pack = policy_pack(name)
    assert set(pack.rules) <= {rule.id for rule in ASSESSMENT_RULES}
    for rule, entry in pack.rules.items():
        assert entry["citation"], rule
        assert entry["confidence"] in {"S", "R", "U"}, rule
        cases = {case for case, weight in entry.items() if weight in [str(one) for one in Weight]}
        if rule == "consent.history-asked":
            continue
        for case in cases:
            assert all(pack.advice(rule, case)), (rule, case)
        assert set(entry["advice"]) == cases, rule


@pytest.mark.parametrize("name", pack_names())
def test_no_pack_makes_a_skin_test_a_step(name: str) -> None:
    said = [words for entry in policy_pack(name).rules.values() for words in entry.get("advice", {}).values()]
    tests = [one["en"] for one in said if "skin test" in one["en"]]
    assert all("no skin test" in one for one in tests)


def test_an_unconfirmed_entry_says_so_and_what_was_read_in_the_source_does_not() -> None:
    facts = patient({"hyperthyroidism": "yes", "metformin": "yes", "egfr_ml_min": 28})
    found = assess(facts, policy_pack("esur-10"), LIMITS, NOON)
    confirmed = {one.rule: one.limit.confirmed for one in found.findings if one.limit}
    assert (confirmed["consent.thyroid"], confirmed["consent.metformin"]) == (False, True)
    assert (found.clearance, found.confirmed) == ("contraindicated", False)
    by_department = assess(facts, policy_pack("esur-10", confirmed=True), LIMITS, NOON)
    assert (by_department.clearance, by_department.confirmed) == ("contraindicated", True)


def test_every_place_that_a_rule_points_at_is_a_question_of_the_form() -> None:
    asked = {item["linkId"] for item in questionnaire()["item"]}
    unwell = patient({name: "yes" for name, answer in COMPARED["healthy"].items() if answer == "no"})
    silent = ScreeningFacts()
    found = [
        one
        for name in pack_names()
        for facts in (unwell, silent)
        for one in assess(facts, policy_pack(name), LIMITS, NOON).findings
    ]
    pointed = {one.at.partition("linkId='")[2].removesuffix("')") for one in found}
    assert pointed <= asked

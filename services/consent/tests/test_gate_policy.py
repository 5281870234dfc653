"""The gate's policy: dated, the department's own to change, and refused at the start when it is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Changes, Write
from slipring.rules.finding import Finding, Weight
from slipring_consent import rules
from slipring_consent.gate.policy import SHIPPED, policy_on
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.settings import ConsentSettings
from slipring_consent.vocabulary import CODE_SYSTEMS

from tests.support.contrast import a_consent, a_department, a_screening, an_egfr, an_injection, an_override
from tests.support.desk import ADesk

OWN = """
source = "minutes of the department, 2026-02-01"
confidence = "U"
[[policy]]
from = 2026-01-01
by = "decide-justification"
reasons = ["emergency"]
readiness = "block"
[policy.overridable]
"consent.consent-valid" = ["emergency"]
[[policy]]
from = 2026-06-01
by = "decide-justification"
reasons = ["emergency"]
readiness = "warn"
[policy.by_rule]
"consent.no-high-finding" = "settle-difficult-case"
[policy.overridable]
"consent.no-high-finding" = ["emergency"]
"""


def own(tmp_path: Path, text: str = OWN) -> str:
    file = tmp_path / "gate.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


async def ask(desk: ADesk, **members: Any) -> Changes:
    return await contrast_written(Write("create", an_injection(**members)), desk)


def reasons(changes: Changes) -> set[str]:
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


def test_of_several_entries_the_newest_that_has_begun_counts(tmp_path: Path) -> None:
    file = own(tmp_path)
    assert policy_on(date(2026, 5, 31), file).readiness == "block"
    assert policy_on(date(2026, 6, 1), file).readiness == "warn"


def test_the_departments_own_policy_is_confirmed_and_the_shipped_one_waits_for_a_named_person(tmp_path: Path) -> None:
    assert policy_on(date(2026, 3, 2), own(tmp_path)).confirmed
    assert not policy_on(date(2026, 3, 2)).confirmed
    assert policy_on(date(2026, 3, 2), confirmed={"gate.policy"}).confirmed


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('by = "decide-justification"', 'by = "do-as-one-likes"'),
        ('readiness = "block"', 'readiness = "perhaps"'),
        ('= ["emergency"]\n[[policy]]', '= ["because"]\n[[policy]]'),
        ("reasons", "grounds"),
        ('confidence = "U"', ""),
    ],
)
def test_a_file_that_is_no_policy_stops_the_start(tmp_path: Path, was: str, becomes: str) -> None:
    assert was in OWN
    file = own(tmp_path, OWN.replace(was, becomes))
    with pytest.raises(ValueError, match=r"gate\.toml"):
        ConsentSettings.from_env({"SLIPRING_CONSENT_GATE": file})


@pytest.mark.clause("5.3.2.5")
@pytest.mark.parametrize("name", ["esur-11", "", "ESUR-10"])
def test_a_policy_pack_that_is_not_shipped_stops_the_start_and_says_which_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"SLIPRING_CONSENT_POLICY.*esur-10"):
        ConsentSettings.from_env({"SLIPRING_CONSENT_POLICY": name})


@pytest.mark.clause("5.3.2.5")
async def test_the_departments_own_policy_decides_which_reason_passes_what(tmp_path: Path) -> None:
    desk = a_department(an_egfr(), a_screening())
    assert reasons(await ask(desk, extension=an_override("emergency"))) == {"consent.consent-valid"}
    desk.settings = replace(desk.settings, gate=own(tmp_path))
    assert (await ask(desk, extension=an_override("emergency"))).refuse is None


@pytest.mark.clause("5.3.2.5")
async def test_a_rule_may_ask_for_more_than_a_physician(tmp_path: Path) -> None:
    text = OWN.replace("2026-06-01", "2026-02-01")
    desk = a_department(an_egfr(), a_screening(hyperthyroidism="Y"), a_consent())
    desk.settings = replace(desk.settings, gate=own(tmp_path, text))
    refused = reasons(await ask(desk, extension=an_override("emergency")))
    assert refused
    assert not refused & {"consent.no-high-finding"}, "the person is told what he lacks, before the rule"


def test_every_overridable_rule_and_reason_of_the_shipped_policy_is_there() -> None:
    policy = policy_on(date(2026, 3, 2))
    known = {one.id for listed in (rules.GATE_RULES, rules.CONTRAST_RULES, rules.READINESS_RULES) for one in listed}
    assert set(policy.overridable) <= known | {"consent.copies-fresh"}
    [coded] = [one for one in CODE_SYSTEMS if one.url.endswith("/override-reason")]
    assert {concept.code for concept in coded.concepts} == set(policy.reasons)
    assert SHIPPED.name == "gate.toml"


def test_what_only_asks_is_decided_for_any_reason_and_what_stops_for_those_listed() -> None:
    policy = policy_on(date(2026, 3, 2))
    found = Finding("consent.anything", "1", "CL02-A011:5.4.1", Weight.ASK, "", "")
    assert policy.reasons_for(found) == policy.reasons
    assert policy.reasons_for(replace(found, weight=Weight.STOP)) == ()

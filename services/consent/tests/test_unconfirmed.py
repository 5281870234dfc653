"""What waits for a named person of the department: less what two of its people have approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL, Stored
from slipring_consent.gate.policy import ID
from slipring_consent.policy_set import GATE_POLICY
from slipring_consent.reading import instant
from slipring_consent.screening.own_pack import CONTRAST_POLICY
from slipring_consent.unconfirmed import unconfirmed

from tests.support.desk import A_NOON

REACTION = "esur-10:consent.prior-reaction"


@pytest.fixture(autouse=True)
def nothing_confirmed_by_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLIPRING_CONSENT_CONFIRMED", "SLIPRING_DEMO", "SLIPRING_CONSENT_POLICY"):
        monkeypatch.delenv(name, raising=False)


def a_set(entry: str, value: Any, starts: timedelta = timedelta(days=-1), **members: Any) -> Stored:
    parts = [{"url": "id", "valueString": entry}, {"url": "value", "valueCode": value}]
    limit = {"url": f"{CANONICAL}/StructureDefinition/rule-limit", "extension": parts}
    plan = {
        "resourceType": "PlanDefinition", "id": "o-set", "url": CONTRAST_POLICY, "status": "active",
        "effectivePeriod": {"start": instant(A_NOON + starts)}, "extension": [limit],
    } | members  # fmt: skip
    return Stored(plan, 2, A_NOON)


def waiting(*approved: Stored) -> set[str]:
    return {one.id for one in unconfirmed(A_NOON, approved)}


@pytest.mark.clause("5.3.2.5")
def test_what_two_of_the_department_have_approved_waits_for_nobody() -> None:
    before = waiting()
    assert REACTION in before
    assert waiting(a_set(f"{REACTION}:severe", "ask")) == before - {REACTION}


def test_the_policy_of_the_gate_that_two_have_approved_waits_for_nobody() -> None:
    assert waiting() - waiting(a_set("gate:policy:readiness", "warn", url=GATE_POLICY)) == {ID}


@pytest.mark.parametrize("approved", [
    a_set(f"{REACTION}:severe", "ask", starts=timedelta(days=1)),
    a_set(f"{REACTION}:severe", "ask", status="draft"),
    a_set(f"{REACTION}:severe", "perhaps"),
    a_set(f"{REACTION}:severe", "ask", url=f"{CANONICAL}/PlanDefinition/ct-justification"),
    a_set("csr-2:consent.prior-reaction:severe", "ask"),
], ids=["not begun", "draft", "fits no pack", "another set", "another pack"])  # fmt: skip
def test_what_is_not_in_force_confirms_nothing(approved: Stored) -> None:
    assert waiting(approved) == waiting()

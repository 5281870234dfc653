"""What two people of the department set of the gate's policy: who passes which rule, for which reasons, from a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import Arrival, Resource, Write
from slipring_consent.department import gate_policy_of
from slipring_consent.gate.own_policy import fits
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.policy_sets import is_policy_set, policy_arrived
from slipring_consent.policy_set import GATE_POLICY, LIMIT
from slipring_consent.reading import instant

from tests.support.contrast import a_department, a_screening, an_egfr, an_injection, an_override
from tests.support.desk import A_NOON, ADesk

CONSENT = "gate:consent.consent-valid:reasons"


def a_set(*, starts: timedelta = timedelta(days=-1), id: str = "o-gate", **entries: list[str]) -> Resource:
    return {
        "resourceType": "PlanDefinition", "id": id, "url": GATE_POLICY, "status": "active",
        "effectivePeriod": {"start": instant(A_NOON + starts)},
        "extension": [
            {"url": LIMIT, "extension": [
                {"url": "id", "valueString": name}, *({"url": "value", "valueString": one} for one in values),
            ]}
            for name, values in entries.items()
        ],
    }  # fmt: skip


def with_sets(*plans: Resource) -> ADesk:
    desk = a_department(an_egfr(), a_screening())
    for plan in plans:
        desk.hold(plan, source="order")
    return desk


async def refused_for(desk: ADesk, reason: str) -> set[str]:
    changes = await contrast_written(Write("create", an_injection(extension=an_override(reason))), desk)
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


@pytest.mark.clause("5.3.2.5")
async def test_a_set_in_force_says_for_which_reasons_a_rule_is_passed() -> None:
    assert await refused_for(with_sets(), "emergency") == {"consent.consent-valid"}
    desk = with_sets(a_set(**{CONSENT: ["emergency", "emergency-no-capacity"]}))
    assert await refused_for(desk, "emergency") == set()
    policy = await gate_policy_of(desk)
    assert policy.confirmed and policy.limit.version == "PlanDefinition/o-gate/_history/1"
    shipped = await gate_policy_of(with_sets())
    assert policy.overridable["consent.lot-named"] == shipped.overridable["consent.lot-named"], "the rest as shipped"


@pytest.mark.clause("5.3.2.5")
async def test_a_set_can_close_what_was_open_and_ask_for_another_person() -> None:
    assert await refused_for(with_sets(a_set(**{CONSENT: ["none"]})), "emergency-no-capacity") == {
        "consent.consent-valid"
    }
    heads = with_sets(a_set(**{"gate:consent.consent-valid:by": ["approve-limits"]}))
    assert "role" in await refused_for(heads, "emergency-no-capacity")
    fewer = with_sets(a_set(**{"gate:policy:reasons": ["emergency"]}))
    assert "override-reason" in "".join(await refused_for(fewer, "emergency-no-capacity"))
    assert (await gate_policy_of(with_sets(a_set(**{"gate:policy:readiness": ["block"]})))).readiness == "block"


async def test_of_several_sets_the_one_that_began_last_counts_and_one_that_has_not_begun_does_not() -> None:
    first = a_set(starts=timedelta(days=-3), id="o-first", **{CONSENT: ["emergency"]})
    last = a_set(id="o-last", **{"gate:policy:readiness": ["block"]})
    assert await refused_for(with_sets(first, last), "emergency") == {"consent.consent-valid"}
    later = a_set(starts=timedelta(minutes=1), id="o-later", **{CONSENT: ["none"]})
    desk = with_sets(first, later)
    assert await refused_for(desk, "emergency") == set()
    desk.now += timedelta(minutes=1)
    assert (await gate_policy_of(desk)).overridable["consent.consent-valid"] == ()


@pytest.mark.parametrize(("name", "values"), [
    (CONSENT, ["because"]), (CONSENT, ["emergency", "none"]), (CONSENT, ["emergency", "emergency"]),
    ("gate:consent.thyroid:reasons", ["emergency"]), ("gate:consent.consent-valid:limit", ["emergency"]),
    ("gate:consent.consent-valid:by", ["do-as-one-likes"]), ("gate:policy:by", []), ("gate:policy:readiness", ["stop"]),
    ("gate:policy:readiness", ["warn", "block"]), ("esur-10:consent.thyroid:present", ["ask"]), ("nonsense", ["x"]),
    ("gate:policy:reasons", ["none"]), ("gate:policy:by", [{"coding": []}]), (CONSENT, [3]),
])  # fmt: skip
async def test_an_entry_that_the_gate_has_not_is_told_and_its_set_is_not_in_force(name: str, values: list[Any]) -> None:
    assert not fits(name, tuple(values))
    plan = a_set(**{CONSENT: ["emergency"], name + "": values}) if name != CONSENT else a_set(**{name: values})
    desk = with_sets(plan)
    assert await gate_policy_of(desk) == await gate_policy_of(with_sets())
    assert is_policy_set(plan)
    [save] = (await policy_arrived(Arrival("order", plan, 1), desk)).save
    assert name in save.resource["detail"]

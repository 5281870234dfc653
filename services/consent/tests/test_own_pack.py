"""The department's own values beside a pack: approved by two, in force from a moment, and only where they fit."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import Arrival, Resource
from slipring_consent.handlers.policy_sets import policy_arrived
from slipring_consent.policy_set import CONTRAST_POLICY, LIMIT
from slipring_consent.reading import instant
from slipring_consent.screening.known import pack_in_force

from tests.support.assessing import a_bundle, a_patient, answered
from tests.support.contrast import a_department, a_request, a_screening, an_egfr
from tests.support.desk import A_NOON, ADesk


def a_set(*, starts: timedelta = timedelta(days=-1), status: str = "active", **entries: Any) -> Resource:
    return {
        "resourceType": "PlanDefinition", "id": "o-set", "url": CONTRAST_POLICY, "status": status,
        "effectivePeriod": {"start": instant(A_NOON + starts)},
        "extension": [
            {"url": LIMIT, "extension": [
                {"url": "id", "valueString": name},
                {"url": "value", "valueCode" if isinstance(value, str) else "valueDecimal": value},
            ]}
            for name, value in entries.items()
        ],
    }  # fmt: skip


def with_set(plan: Resource) -> ADesk:
    desk = a_department()
    desk.hold(plan, source="order")
    return desk


async def metformin(desk: ADesk, egfr: int = 40) -> str | None:
    bundle = a_bundle(a_patient(id="o-pat"), a_request(), an_egfr(egfr))
    told = await answered(desk, bundle=bundle, response=a_screening(metformin="Y"))
    weight: str | None = told["esur-10"]["found"].get("consent.metformin")
    return weight


@pytest.mark.clause("5.3.2.5")
async def test_a_set_in_force_counts_before_what_was_shipped_and_is_confirmed() -> None:
    name = "esur-10:consent.metformin:limit_severe_ml_min"
    assert await metformin(a_department()) is None
    desk = with_set(a_set(**{name: 45}))
    assert await metformin(desk) == "warn"
    limit = (await pack_in_force("esur-10", desk)).limit("consent.metformin")
    assert (limit.confirmed, limit.version) == (True, "PlanDefinition/o-set/_history/1")
    assert (await pack_in_force("csr-2", desk)).own == {}


async def test_a_weight_can_be_set_also_where_only_another_guideline_speaks() -> None:
    assert await metformin(with_set(a_set(**{"esur-10:consent.metformin:any_function": "ask"}))) == "ask"


async def test_a_weight_can_be_taken_away() -> None:
    assert await metformin(with_set(a_set(**{"esur-10:consent.metformin:below_severe": "none"})), egfr=28) is None


@pytest.mark.parametrize("plan", [
    a_set(starts=timedelta(days=1), **{"esur-10:consent.metformin:limit_severe_ml_min": 45}),
    a_set(status="draft", **{"esur-10:consent.metformin:limit_severe_ml_min": 45}),
    a_set(status="retired", **{"esur-10:consent.metformin:limit_severe_ml_min": 45}),
    a_set(**{"esur-10:consent.metformin:limit_severe_ml_min": 45, "esur-10:consent.nothing:limit": 1}),
])  # fmt: skip
async def test_a_set_that_has_not_begun_is_no_longer_or_does_not_fit_is_not_in_force(plan: Resource) -> None:
    assert await metformin(with_set(plan)) is None


@pytest.mark.parametrize(("name", "value"), [
    ("esur-9:consent.thyroid:present", "ask"), ("esur-10:consent.thyroid:present", "maybe"),
    ("esur-10:consent.thyroid:present", 3), ("esur-10:consent.metformin:limit_severe_ml_min", "stop"),
    ("esur-10:consent.metformin:citation", "x"), ("nonsense", 1),
])  # fmt: skip
async def test_an_approved_set_that_fits_no_pack_is_told_once(name: str, value: Any) -> None:
    desk, plan = a_department(), a_set(**{name: value})
    changes = await policy_arrived(Arrival("order", plan, 2), desk)
    [save] = changes.save
    assert name in save.resource["detail"]
    assert save.resource["implicated"] == [{"reference": "PlanDefinition/o-set"}]
    assert changes.keys == ["policy-set:PlanDefinition/o-set/2"]
    assert (await policy_arrived(Arrival("order", plan | {"status": "draft"}, 1), desk)).nothing

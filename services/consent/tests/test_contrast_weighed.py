"""The gate weighs lot and dose: what is known of the patient, of the lot and of what was given before (5.3.2.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.service import Resource
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.injection import INJECTION
from slipring_consent.contrast.known import contrast_known
from slipring_consent.contrast.weight import ages
from slipring_consent.gate.weighing import judged
from slipring_consent.settings import ConsentSettings

from tests.support.contrast import (
    a_cleared_department,
    a_consent,
    a_request,
    a_weight,
    an_injection,
)
from tests.support.desk import A_NOON, ADesk
from tests.support.lots import a_lot, a_volume

CONTRAST = {
    "consent.dose-limit", "consent.iodine-limit", "consent.rate-limit", "consent.weight-known", "consent.lot-agent",
    "consent.lot-named", "consent.lot-accepted", "consent.lot-in-date", "consent.lot-not-recalled", "consent.dose-stated",
    "consent.opened-time", "consent.pressure-limit",
}  # fmt: skip


async def found(desk: ADesk, **members: Any) -> dict[str, str]:
    """What is found about lot and dose, with its weight."""
    verdict = await judged(an_injection(**members), desk)
    return {one.rule: str(one.weight) for one in verdict.findings if one.rule in CONTRAST}


@pytest.mark.clause("5.3.2.5")
async def test_a_usual_dose_from_an_accepted_lot_passes() -> None:
    assert await found(a_cleared_department()) == {}


@pytest.mark.clause("5.3.2.3")
@pytest.mark.parametrize(
    ("lot", "rule"),
    [
        (a_lot("received"), "consent.lot-accepted"),
        (a_lot("rejected"), "consent.lot-accepted"),
        (a_lot("recalled"), "consent.lot-not-recalled"),
        (a_lot(batch={"lotNumber": "A2601", "expirationDate": "2026-02"}), "consent.lot-in-date"),
        (a_lot(batch={"lotNumber": "A2601"}), "consent.lot-in-date"),
        (a_lot(status="entered-in-error"), "consent.lot-named"),
    ],
)
async def test_a_lot_that_does_not_stand_stops(lot: Resource, rule: str) -> None:
    desk = a_cleared_department()
    desk.hold(lot)
    assert await found(desk) == {rule: "stop"}


async def test_a_lot_of_this_month_is_in_date_to_its_last_minute() -> None:
    desk = a_cleared_department(now=datetime(2026, 3, 31, 15, 59, tzinfo=UTC))
    desk.hold(a_lot(batch={"lotNumber": "A2601", "expirationDate": "2026-03"}))
    assert "consent.lot-in-date" not in await found(desk)
    desk.now += timedelta(minutes=1)
    assert (await found(desk))["consent.lot-in-date"] == "stop"


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ({"status": "entered-in-error"}, {"consent.weight-known": "ask"}),
        ({"effectiveDateTime": "2025-03-02"}, {"consent.weight-known": "ask"}),
        ({"effectiveDateTime": "2026-03-09"}, {"consent.weight-known": "ask"}),
        ({"valueQuantity": {"value": 70, "unit": "stone"}}, {"consent.weight-known": "ask"}),
        ({"valueQuantity": {"value": 7000, "code": "kg"}}, {"consent.weight-known": "ask"}),
        ({"valueQuantity": {"value": 154, "code": "[lb_av]"}}, {}),
        ({"subject": {"reference": "Patient/o-other"}}, {"consent.weight-known": "ask"}),
    ],
)
async def test_a_weight_is_read_and_never_assumed(weight: Resource, expected: dict[str, str]) -> None:
    desk = a_cleared_department()
    desk.hold({**a_weight(), **weight}, source="order")
    assert await found(desk) == expected


async def test_what_was_given_this_morning_under_any_record_of_the_patient_counts() -> None:
    desk = a_cleared_department()
    desk.hold({"resourceType": "Patient", "id": "o-pat", "birthDate": "1960-05-01", "link": [_replaces("o-old")]})
    desk.hold({"resourceType": "Patient", "id": "o-old"})
    morning = an_injection(
        id="c-first", status="completed", subject={"reference": "Patient/o-old"}, dosage={"dose": a_volume(80)}
    )
    desk.hold(morning | {"effectiveDateTime": "2026-03-02T00:30:00Z"})
    assert set(await found(desk)) == {"consent.dose-limit", "consent.iodine-limit"}
    desk.hold(morning | {"effectiveDateTime": "2026-02-28T00:30:00Z"})
    assert await found(desk) == {}
    desk.hold(morning | {"effectiveDateTime": "2026-03-02T00:30:00Z", "dosage": {"text": "as usual"}})
    assert await found(desk) == {"consent.iodine-limit": "ask"}


def _replaces(patient: str) -> Resource:
    return {"other": {"reference": f"Patient/{patient}"}, "type": "replaces"}


@pytest.mark.parametrize(
    "planned",
    [
        a_request(orderDetail=[{"text": "优维显 370 注射"}]),
        a_consent(provision={**a_consent()["provision"], "code": [{"coding": [{"display": "iopromide"}]}]}),
    ],
)
async def test_another_agent_than_planned_is_asked(planned: Resource) -> None:
    desk = a_cleared_department()
    desk.hold(planned)
    assert await found(desk) == {"consent.lot-agent": "ask"}


async def test_an_unconfirmed_number_asks_and_the_same_confirmed_stops() -> None:
    much = {"dosage": {"dose": a_volume(120)}}
    confirmed = await found(a_cleared_department(), **much)
    assert confirmed == {"consent.dose-limit": "stop", "consent.iodine-limit": "stop"}
    asked = await found(a_cleared_department(settings=ConsentSettings()), **much)
    assert asked == {"consent.dose-limit": "ask", "consent.iodine-limit": "ask"}


async def test_flow_pressure_and_an_old_bottle_are_weighed_by_what_the_record_says() -> None:
    parts = [
        {"url": "gauge", "valueInteger": 22},
        {"url": "pressureLimit", "valueQuantity": a_volume(2400, "kPa")},
        {"url": "openedAt", "valueDateTime": "2026-03-01T12:00:00+08:00"},
    ]
    dosage = {"dose": a_volume(40), "rateQuantity": a_volume(300, "mL/min")}
    result = await found(a_cleared_department(), dosage=dosage, extension=[{"url": INJECTION, "extension": parts}])
    assert set(result) == {"consent.rate-limit", "consent.pressure-limit", "consent.opened-time"}


async def test_without_lot_dose_and_weight_each_is_named_at_once() -> None:
    desk = a_cleared_department()
    del desk.held["Observation/o-weight"]
    bare = an_injection(medicationCodeableConcept={"text": "碘海醇注射液"}, dosage={})
    facts = await contrast_known(bare, desk)
    assert facts.agent == "V08AB02", "a trade name is enough to know the agent"
    assert set(await found(desk, medicationCodeableConcept={"text": "欧乃派克"}, dosage={})) == {
        "consent.lot-named", "consent.dose-stated", "consent.weight-known",
    }  # fmt: skip


@given(st.integers(1920, 2025), st.integers(1, 12), st.integers(1, 28))
def test_an_age_known_by_the_day_lies_within_what_the_month_and_the_year_say(year: int, month: int, day: int) -> None:
    exact = ages(f"{year}-{month:02}-{day:02}", A_NOON, "Asia/Shanghai")
    for partial in (f"{year}-{month:02}", f"{year}"):
        youngest, oldest = ages(partial, A_NOON, "Asia/Shanghai")
        assert youngest <= exact[0] == exact[1] <= oldest
    assert ContrastFacts(age=ages("", A_NOON, "Asia/Shanghai")).age == ()

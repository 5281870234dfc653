"""The record of contrast: what it leaves out is listed until it is said; the fact itself is kept as it came (5.5.3 g, 4.13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import check
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Changes, Resource, Write
from slipring_consent.contrast.injection import INJECTION
from slipring_consent.contrast.lots import as_decision
from slipring_consent.contrast.resources import as_recall
from slipring_consent.contrast.stock import WASTED
from slipring_consent.handlers.contrast_record import administration_written
from slipring_consent.reading import instant

from tests.support.contrast import IOHEXOL, a_cleared_department, an_injection
from tests.support.desk import A_NOON, ADesk
from tests.support.lots import LOT, NURSE, a_lot, a_volume

LATE = Caller("his", frozenset({"system/*.cruds", "slipring/record-late"}))
HALF_A_MINUTE = {"start": instant(A_NOON - timedelta(minutes=2)), "end": instant(A_NOON - timedelta(seconds=90))}


def injected(**parts: Any) -> Resource:
    """The extension that an injector or a nurse fills in."""
    said = {
        "gauge": ("Integer", 20),
        "pressureLimit": ("Quantity", a_volume(300, "[psi]")),
        "peakPressure": ("Quantity", a_volume(1200, "kPa")),
        "salineFlush": ("Quantity", a_volume(30)),
        "agentTemperature": ("Quantity", a_volume(37, "Cel")),
        **parts,
    }
    written = [{"url": name, f"value{one[0]}": one[1]} for name, one in said.items() if one is not None]
    return {"url": INJECTION, "extension": written}


def a_record(**members: Any) -> Resource:
    """All that a record of contrast carries."""
    whole = {
        "status": "completed",
        "effectivePeriod": HALF_A_MINUTE,
        "device": [{"reference": "Device/o-injector"}],
        "dosage": {
            "dose": a_volume(40),
            "rateQuantity": a_volume(3, "mL/s"),
            "route": {"text": "intravenous"},
            "site": {"text": "left antecubital vein"},
        },
        "extension": [injected()],
    }
    record = an_injection(**{**whole, **members})
    del record["effectiveDateTime"]
    return record


def permitted(**members: Any) -> ADesk:
    """Contrast is permitted and runs."""
    desk = a_cleared_department(caller=LATE, **members)
    desk.hold(an_injection(dosage={"dose": a_volume(40), "rateQuantity": a_volume(3, "mL/s")}))
    return desk


async def told(desk: ADesk, record: Resource) -> Changes:
    """The record is written and laid on the desk."""
    before = desk.held.get(f"MedicationAdministration/{record['id']}")
    changes = await administration_written(Write("update" if before else "create", record, before), desk)
    desk.carry_out(changes, record)
    return changes


def standing(desk: ADesk) -> dict[str, Resource]:
    """The findings about the record that stand, by their rule."""
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    return {rule_of(one): one for one in issues if one["status"] == "final"}


@pytest.mark.clause("5.5.3")
async def test_a_whole_record_is_kept_and_nothing_is_said_about_it() -> None:
    desk = permitted()
    assert check(a_record()) == []
    assert (await told(desk, a_record())).refuse is None
    assert standing(desk) == {}


@pytest.mark.clause("5.5.3")
@pytest.mark.clause("4.13")
async def test_what_is_left_out_is_listed_until_a_later_version_says_it() -> None:
    desk = permitted()
    assert (await told(desk, an_injection(status="completed"))).refuse is None
    [finding] = [one for rule, one in standing(desk).items() if rule == "consent.record-complete"]
    assert "留置针型号" in finding["detail"] and "峰值压力" in finding["detail"]
    record = desk.held["MedicationAdministration/c-injection"].resource | {"dosage": a_record()["dosage"]}
    await told(desk, record)
    fewer = standing(desk)["consent.record-complete"]
    assert "注射部位" in finding["detail"] and "注射部位" not in fewer["detail"]
    whole = a_record()
    await told(desk, whole)
    assert standing(desk) == {}


async def test_by_hand_no_injector_is_asked_for() -> None:
    desk = permitted()
    by_hand = injected(byHand=("Boolean", True), pressureLimit=None, peakPressure=None, salineFlush=None)
    await told(desk, a_record(device=[], extension=[by_hand]))
    assert standing(desk) == {}


async def test_less_than_planned_is_said_also_after_the_record_was_completed() -> None:
    desk = permitted()
    half = a_record()["dosage"] | {"dose": a_volume(20)}
    await told(desk, a_record(dosage=half, device=[]))
    assert set(standing(desk)) == {"consent.record-complete", "consent.dose-as-planned"}
    await told(desk, a_record(dosage=half))
    assert set(standing(desk)) == {"consent.dose-as-planned"}
    await told(desk, a_record())
    assert standing(desk) == {}


@pytest.mark.clause("4.13")
async def test_contrast_from_a_lot_that_was_not_accepted_is_recorded_and_said() -> None:
    desk = a_cleared_department(caller=LATE)
    desk.hold(a_lot("received"))
    late = a_record(statusReason=[{"text": "the network was down"}])
    assert (await told(desk, late)).refuse is None
    assert standing(desk)["consent.lot-accepted"]["severity"] == "high"


async def test_a_late_record_is_judged_by_the_day_it_tells_of() -> None:
    desk = a_cleared_department(caller=LATE)
    recalled = [as_decision("accepted", NURSE, instant(A_NOON - timedelta(days=9)))]
    recalled.append(as_decision("recalled", NURSE, instant(A_NOON - timedelta(days=1))))
    desk.hold(a_lot("received", extension=recalled, batch={"lotNumber": "A2601", "expirationDate": "2026-02"}))
    task = as_recall("c-recall", LOT, [], {"text": "particles"}, who=NURSE, now=A_NOON)
    desk.hold(task)
    day = A_NOON - timedelta(days=3)  # 27 February
    then = {"start": instant(day), "end": instant(day + timedelta(seconds=30))}
    told_late = a_record(statusReason=[{"text": "the network was down"}], effectivePeriod=then)
    await told(desk, told_late)
    assert not {"consent.lot-in-date", "consent.lot-not-recalled"} & set(standing(desk))
    [line] = desk.held["Task/c-recall"].resource["output"]
    assert line["valueReference"] == {"reference": "MedicationAdministration/c-injection"}
    assert check(desk.held["Task/c-recall"].resource) == []


async def test_more_than_came_in_is_said_of_the_lot_once() -> None:
    desk = permitted()
    few = {"itemReference": {"reference": LOT}, "quantity": a_volume(30)}
    desk.hold(desk.held["SupplyDelivery/c-delivery"].resource | {"suppliedItem": few})
    await told(desk, a_record())
    finding = standing(desk)["consent.lot-overdrawn"]
    assert finding["implicated"] == [{"reference": LOT}] and "patient" not in finding
    again = await told(desk, a_record(note=[{"text": "a word more"}]))
    assert [save for save in again.save if rule_of(save.resource) == "consent.lot-overdrawn"] == []


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"dosage": {"dose": a_volume(2, "{bottle}")}}, "MedicationAdministration.dosage.dose"),
        ({"dosage": {"dose": a_volume(-1)}}, "MedicationAdministration.dosage.dose"),
        (
            {"dosage": {"dose": a_volume(40), "rateQuantity": a_volume(3, "m/s")}},
            "MedicationAdministration.dosage.rate",
        ),
        (
            {"extension": [{"url": WASTED, "valueQuantity": a_volume(3, "kg")}]},
            f"MedicationAdministration.extension.where(url='{WASTED}')",
        ),
        (
            {"extension": [injected(peakPressure=("Quantity", a_volume(3, "mL")))]},
            f"MedicationAdministration.extension.where(url='{INJECTION}').extension.where(url='peakPressure')",
        ),
    ],
)
@pytest.mark.parametrize("status", ["in-progress", "completed"])
async def test_an_amount_that_cannot_be_one_is_refused_where_it_stands(
    members: dict[str, Any], at: str, status: str
) -> None:
    desk = a_cleared_department(caller=LATE)
    record = an_injection(status=status, statusReason=[{"text": "late"}], **members)
    changes = await administration_written(Write("create", record), desk)
    assert changes.refuse is not None
    assert [(issue.at, issue.detail) for issue in changes.refuse.issues] == [(at, "consent.contrast-amount")]


async def test_a_flow_may_be_a_ratio() -> None:
    desk = permitted()
    ratio = {"numerator": a_volume(180), "denominator": {"value": 1, "code": "min"}}
    dosage = {name: value for name, value in a_record()["dosage"].items() if name != "rateQuantity"}
    await told(desk, a_record(dosage=dosage | {"rateRatio": ratio}))
    assert standing(desk) == {}


async def test_a_lot_that_the_injector_names_by_its_number_is_the_lot_that_is_kept() -> None:
    desk = a_cleared_department()
    inside = {"resourceType": "Medication", "id": "pack", "code": IOHEXOL, "batch": {"lotNumber": "A2601"}}
    named = {"contained": [inside], "medicationReference": {"reference": "#pack"}}
    changes = await administration_written(Write("create", an_injection(**named)), desk)
    assert changes.refuse is None
    assert [one["value"] for one in changes.append["identifier"]] == ["A2601"]
    inside["batch"] = {"lotNumber": "A2602"}
    refused = (await administration_written(Write("create", an_injection(**named)), desk)).refuse
    assert refused is not None
    assert "consent.lot-named" in {issue.detail for issue in refused.issues}

"""Lots of contrast: entered once, accepted by a named person before use, stopped at once when recalled (5.3.2.1, 5.3.2.3)."""

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Changes, Resource, Write
from slipring_consent.contrast.lots import LOT_STATE, lot_of, state_of
from slipring_consent.handlers.lot_decisions import lot_accepted, lot_recalled
from slipring_consent.handlers.lots import lot_written

from tests.support.contrast import a_department, an_injection
from tests.support.desk import ADesk
from tests.support.lots import LOT, NURSE, a_delivery, a_lot, a_volume

REFUSED = pytest.raises(FhirError)


def a_call(desk: ADesk, **values: Any) -> Call:
    parameters = [{"name": name, f"value{kind}": value} for name, (kind, value) in values.items()]
    return Call({"resourceType": "Parameters", "parameter": parameters}, target=desk.held.get(LOT))


def a_store(*holding: Resource) -> ADesk:
    """A department in which a lot was received."""
    desk = a_department()
    del desk.held[LOT], desk.held["SupplyDelivery/c-delivery"]
    for one in holding or (a_lot("received"), a_delivery()):
        desk.hold(one)
    return desk


BY_NURSE = {"performer": ("Reference", {"reference": NURSE})}
WHY = {"reason": ("CodeableConcept", {"text": "particles found by the maker"})}


def code_of(refused: Any) -> str:
    return str(refused.value.issues[0].detail)


@pytest.mark.clause("5.3.2.3")
async def test_a_named_person_accepts_a_lot_that_came_in() -> None:
    desk = a_store()
    desk.carry_out(await lot_accepted(a_call(desk, **BY_NURSE), desk))
    lot = desk.held[LOT].resource
    assert state_of(lot) == "accepted"
    [decision] = lot["extension"]
    assert {"url": "by", "valueReference": {"reference": NURSE}} in decision["extension"]


@pytest.mark.clause("5.3.2.3")
@pytest.mark.parametrize(
    ("holding", "values", "code"),
    [
        ((a_lot("received"),), BY_NURSE, "consent.lot-not-received"),
        ((a_lot("received"), a_delivery(status="in-progress")), BY_NURSE, "consent.lot-not-received"),
        ((a_lot("received"), a_delivery()), {}, "consent.lot-decider"),
        (
            (a_lot("received"), a_delivery()),
            {"performer": ("Reference", {"reference": "Practitioner/o-nobody"})},
            "consent.lot-decider",
        ),
        (
            (a_lot("received", batch={"lotNumber": "A2601"}), a_delivery()),
            BY_NURSE,
            "consent.lot-without-expiry",
        ),
        (
            (a_lot("received", batch={"lotNumber": "A2601", "expirationDate": "2026-02"}), a_delivery()),
            BY_NURSE,
            "consent.lot-out-of-date",
        ),
        ((a_lot("received", batch={"expirationDate": "2027-05"}),), BY_NURSE, "consent.lot-unnumbered"),
        ((a_lot("received"), a_delivery()), {**BY_NURSE, "decision": ("Code", "maybe")}, "consent.lot-decision"),
        ((a_lot("received"), a_delivery()), {**BY_NURSE, "decision": ("Code", "rejected")}, "consent.lot-rejected-why"),
        ((a_lot("recalled"), a_delivery()), BY_NURSE, "consent.illegal-move"),
        ((a_lot("accepted"), a_delivery()), BY_NURSE, "consent.illegal-move"),
    ],
)
async def test_a_lot_is_not_accepted_that(holding: tuple[Resource, ...], values: dict[str, Any], code: str) -> None:
    desk = a_store(*holding)
    with REFUSED as refused:
        await lot_accepted(a_call(desk, **values), desk)
    assert code_of(refused) == code
    assert refused.value.issues[0].zh and refused.value.issues[0].en and refused.value.issues[0].at


async def test_a_rejected_lot_says_why_and_is_not_accepted_afterwards() -> None:
    desk = a_store()
    rejected = {**BY_NURSE, "decision": ("Code", "rejected"), "note": ("String", "two bottles broken")}
    desk.carry_out(await lot_accepted(a_call(desk, **rejected), desk))
    assert state_of(desk.held[LOT].resource) == "rejected"
    with REFUSED as refused:
        await lot_accepted(a_call(desk, **BY_NURSE), desk)
    assert refused.value.status == 409


@pytest.mark.clause("5.3.2.1")
async def test_a_recall_lists_who_got_the_lot_and_alarms_who_injects_it() -> None:
    desk = a_store(a_lot(), a_delivery())
    named = {"medicationReference": {"reference": LOT}}
    desk.hold(an_injection(id="c-given", status="completed", **named))
    desk.hold(an_injection(id="c-runs", status="in-progress", **named))
    desk.hold(an_injection(id="c-left", status="not-done", **named))
    desk.hold(an_injection(id="c-other", status="completed", medicationReference={"reference": "Medication/c-other"}))
    inside = a_lot(id="pack") | {"batch": {"lotNumber": "A2601"}}
    by_hand = {"contained": [inside], "medicationReference": {"reference": "#pack"}}
    number = {"system": f"{CANONICAL}/sid/lot-number", "value": "A2601"}
    desk.hold(an_injection(id="c-late", status="completed", identifier=[number], **by_hand))

    changes = await lot_recalled(a_call(desk, **BY_NURSE, **WHY, notice=("String", "R-7")), desk)
    assert changes.answer is not None
    task = changes.answer["parameter"][0]["resource"]
    listed = {line["valueReference"]["reference"].partition("/")[2] for line in task["output"]}
    assert listed == {"c-given", "c-runs", "c-late"}
    assert task["input"][0]["valueString"] == "R-7"
    desk.carry_out(changes)
    assert state_of(desk.held[LOT].resource) == "recalled"
    told = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "Task"]
    notices = [one for one in told if one["code"]["coding"][0]["code"] == "notice"]
    assert {one["focus"]["reference"] for one in notices} == {"MedicationAdministration/c-runs"}
    assert "A2601" in notices[0]["description"]


async def test_a_lot_is_recalled_once_and_for_a_reason() -> None:
    desk = a_store(a_lot(), a_delivery())
    with REFUSED as refused:
        await lot_recalled(a_call(desk, **BY_NURSE), desk)
    assert code_of(refused) == "consent.lot-recall-why"
    desk.carry_out(await lot_recalled(a_call(desk, **BY_NURSE, **WHY), desk))
    with REFUSED as refused:
        await lot_recalled(a_call(desk, **BY_NURSE, **WHY), desk)
    assert refused.value.status == 409


# --- entering -------------------------------------------------------------------------------------------------------


async def entered(lot: Resource, desk: ADesk) -> Changes:
    before = desk.held.get(f"Medication/{lot['id']}")
    return await lot_written(Write("update" if before else "create", lot, before), desk)


@pytest.mark.clause("5.3.2.1")
async def test_one_lot_is_entered_once_whatever_its_code_says_beside() -> None:
    desk = a_store()
    again = a_lot("received", id="c-again")
    again["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "109218004"}]}
    with REFUSED as refused:
        await entered(again, desk)
    assert (refused.value.status, code_of(refused)) == (409, "consent.lot-entered")
    other = a_lot("received", id="c-again", code={"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB05"}]})
    assert await entered(other, desk) == Changes.none()
    weaker = a_lot("received", id="c-again")
    weaker["ingredient"][0]["strength"]["numerator"]["value"] = 300
    assert await entered(weaker, desk) == Changes.none()


async def test_a_decision_is_not_written_by_hand_and_not_lost() -> None:
    desk = a_store()
    with REFUSED as refused:
        await entered(a_lot("accepted"), desk)
    assert code_of(refused) == "consent.lot-decided-by-operation"
    kept = desk.hold(a_lot("accepted")).resource
    without = {name: value for name, value in kept.items() if name != "extension"}
    assert (await entered(without, desk)).append == {"extension": kept["extension"]}
    assert await entered(kept, desk) == Changes.none()


@pytest.mark.clause("5.3.2.1")
@pytest.mark.parametrize("state", ["recalled", "rejected"])
async def test_a_lot_turned_away_is_neither_deleted_nor_marked_as_wrong_and_so_never_entered_anew(state: str) -> None:
    desk = a_store(a_lot(state), a_delivery())
    stands = desk.held[LOT]
    for write in (
        Write("delete", stands.resource, stands),
        Write("update", a_lot(state, status="entered-in-error"), stands),
    ):
        with REFUSED as refused:
            await lot_written(write, desk)
        assert (refused.value.status, code_of(refused)) == (409, f"consent.lot-{state}")
    accepted = a_store(a_lot(), a_delivery()).held[LOT]
    assert await lot_written(Write("update", a_lot(status="entered-in-error"), accepted), desk) == Changes.none()


@pytest.mark.parametrize("member", ["code", "batch", "ingredient", "amount"])
async def test_a_lot_that_was_accepted_stays_what_it_was(member: str) -> None:
    desk = a_store(a_lot(), a_delivery())
    changed = a_lot()
    changed[member] = {"code": {"text": "?"}, "batch": {"lotNumber": "B1"}, "ingredient": [], "amount": {}}[member]
    with REFUSED as refused:
        await entered(changed, desk)
    assert refused.value.issues[0].at == f"Medication.{member}"


async def test_a_strength_that_cannot_be_counted_with_is_refused_where_it_stands() -> None:
    lot = a_lot("received")
    lot["ingredient"][0]["strength"]["denominator"]["code"] = "{bottle}"
    with REFUSED as refused:
        await entered(lot, a_store())
    assert refused.value.issues[0].at == "Medication.ingredient[0].strength"


def test_the_last_decision_counts_and_none_is_received() -> None:
    assert [state_of(a_lot(state)) for state in ("received", "accepted", "recalled")] == [
        "received", "accepted", "recalled",
    ]  # fmt: skip
    assert lot_of(a_lot(status="entered-in-error"), "Asia/Shanghai").state == "entered-in-error"  # type: ignore[union-attr]
    assert LOT_STATE.endswith("/lot-state")


async def test_a_rescue_drug_keeps_its_own_units_and_lies_in_several_carts() -> None:
    desk = a_store()
    tablets = {
        "resourceType": "Medication",
        "id": "c-tablets",
        "code": {"text": "prednisone 5 mg"},
        "ingredient": [{"strength": {"numerator": a_volume(5, "mg"), "denominator": {"value": 1, "code": "{tablet}"}}}],
        "batch": {"lotNumber": "A2601"},
    }
    assert await entered(tablets, desk) == Changes.none()
    desk.hold(tablets)
    assert await entered({**tablets, "id": "c-tablets-too"}, desk) == Changes.none()

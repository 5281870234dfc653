"""A lot is accepted before its first use, or not (5.3.2.3); recalled, it stops at once, wherever it runs."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, successor

from slipring_consent.contrast.holding import records_of
from slipring_consent.contrast.known import PERMITTED
from slipring_consent.contrast.lots import ACCEPTED, RECALLED, REJECTED, Lot, as_decision, decisions, lot_of, state_of
from slipring_consent.contrast.resources import as_recall
from slipring_consent.contrast.stock import stock_of
from slipring_consent.department import settings_of
from slipring_consent.handlers.alarms import at_injections
from slipring_consent.lifecycle import LOT, illegal
from slipring_consent.people import on_staff
from slipring_consent.reading import instant, reference_of

_USED = ("completed", "stopped", *PERMITTED)


async def lot_accepted(call: Call, desk: Desk) -> Changes:
    """`Medication/[id]/$accept`: a named person accepts a lot for use, or rejects it; from then on the record says so."""
    stored, lot = _lot(call, desk)
    target = str(call.value("decision") or ACCEPTED)
    if target not in (ACCEPTED, REJECTED):
        raise unprocessable(
            "`decision` is accepted or rejected.",
            "decision 须为 accepted 或 rejected。",
            at=call.at("decision"),
            code="code-invalid",
            detail="consent.lot-decision",
        )
    who = await _decider(call, desk)
    note = str(call.value("note") or "").strip()
    if target == REJECTED and not note:
        raise unprocessable(
            "A rejected lot says why, in `note`.",
            "拒收须在 note 中注明原因。",
            at=call.at("note"),
            detail="consent.lot-rejected-why",
        )
    _move(stored, target)
    if target == ACCEPTED:
        await _acceptable(stored, lot, desk)
    save = _decided(stored, target, who, desk, note)
    return Changes(save=[save], answer=save.resource)


async def lot_recalled(call: Call, desk: Desk) -> Changes:
    """`Medication/[id]/$recall`: the lot stops at once; who got it is listed, and who is injecting it is alarmed."""
    stored, lot = _lot(call, desk)
    reason: Resource = call.value("reason") or {}
    if not (reason.get("text") or reason.get("coding")):
        raise unprocessable(
            "A recall says why, in `reason`.",
            "召回须在 reason 中注明原因。",
            at=call.at("reason"),
            code="required",
            detail="consent.lot-recall-why",
        )
    who = await _decider(call, desk)
    _move(stored, RECALLED)
    used = [one for one in await records_of(stored.resource, desk) if one.resource.get("status") in _USED]
    used = [one for one in used if one.resource["resourceType"] == "MedicationAdministration"]
    notice = str(call.value("notice") or "").strip()
    listed = [one.resource for one in used]
    task = as_recall(desk.new_id(), stored.reference, listed, reason, who=who, now=desk.now, notice=notice)
    running = [one for one in used if one.resource["status"] in PERMITTED]
    zh, en = f"批次 {lot.number} 已召回，停止注射。", f"lot {lot.number} is recalled, stop the injection."
    save = _decided(stored, RECALLED, who, desk, str(call.value("note") or "").strip())
    told = at_injections(running, zh, en, desk)
    return Changes(save=[save, Save(task), *told], answer=_answer(task, used))


def _lot(call: Call, desk: Desk) -> tuple[Stored, Lot]:
    lot = lot_of(call.target.resource, settings_of(desk).time_zone) if call.target else None
    if call.target is None or lot is None:
        raise unprocessable(
            "This Medication names no lot number.",
            "该药品未注明批号。",
            at="Medication.batch.lotNumber",
            detail="consent.lot-unnumbered",
        )
    return call.target, lot


async def _decider(call: Call, desk: Desk) -> str:
    """The person who decides: the caller himself, or whom a system names for him."""
    named = desk.caller.practitioner or reference_of(call.value("performer"))
    person = await on_staff(named, desk) if named else ""
    if not person:
        raise unprocessable(
            "A lot is decided about by a named, active member of staff.",
            "批次的验收与召回须由在册在岗的具名人员决定。",
            at=call.at("performer"),
            detail="consent.lot-decider",
        )
    return person


def _move(stored: Stored, target: str) -> None:
    error = illegal(LOT, state_of(stored.resource), target, "Medication.extension")
    if error is not None:
        raise error


async def _acceptable(stored: Stored, lot: Lot, desk: Desk) -> None:
    """A lot is accepted that has come in, says until when it may be used, and is not past that."""
    if lot.usable_until is None:
        raise unprocessable(
            "A lot without an expiry date is not accepted.",
            "未注明有效期的批次不能验收。",
            at="Medication.batch.expirationDate",
            detail="consent.lot-without-expiry",
        )
    if lot.expired(desk.now):
        raise unprocessable(
            "The lot is out of date.",
            "该批次已过有效期。",
            at="Medication.batch.expirationDate",
            detail="consent.lot-out-of-date",
        )
    records = [one.resource for one in await records_of(stored.resource, desk)]
    if stock_of(records, lot.pack_ml).received_ml <= 0:
        raise unprocessable(
            "No receipt of this lot is on record; enter a SupplyDelivery first.",
            "该批次没有到货记录；请先登记 SupplyDelivery。",
            at="Medication",
            detail="consent.lot-not-received",
        )


def _decided(stored: Stored, state: str, who: str, desk: Desk, note: str) -> Save:
    decision = as_decision(state, who, instant(desk.now), note)
    others = [one for one in stored.resource.get("extension", []) if one not in decisions(stored.resource)]
    return successor(stored, extension=[*others, *decisions(stored.resource), decision])


def _answer(task: Resource, used: list[Stored]) -> Resource:
    listed = [
        {
            "name": "given",
            "part": [
                {"name": "administration", "valueReference": {"reference": one.reference}},
                {"name": "patient", "valueReference": {"reference": reference_of(one.resource.get("subject"))}},
                {"name": "running", "valueBoolean": one.resource["status"] in PERMITTED},
            ],
        }
        for one in used
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": task}, *listed]}

"""A lot of contrast is entered, and what comes in or is thrown away of it (5.3.2.1)."""

from __future__ import annotations

from decimal import Decimal

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Write

from slipring_consent.contrast.agents import is_contrast_agent
from slipring_consent.contrast.amounts import ML, amount, strength_mg_per_ml
from slipring_consent.contrast.holding import LOT_ID, identified, numbered
from slipring_consent.contrast.lots import (
    RECALLED,
    REJECTED,
    agent_of_lot,
    decisions,
    lot_number,
    lot_of,
    same_lot,
    states_of,
)
from slipring_consent.contrast.recording import overdrawn
from slipring_consent.contrast.stock import MOVEMENT, RECEIPT, WASTE, delivered_ml, movement_of
from slipring_consent.department import settings_of
from slipring_consent.reading import codes_in, moment, reference_of

_DECIDED_UPON = ("code", "batch", "ingredient", "amount", "manufacturer")


async def lot_written(write: Write, desk: Desk) -> Changes:
    """A lot is entered once, and what was decided about it is written by the operations alone."""
    if write.imported:
        return Changes.none()
    stood = decisions(write.before.resource) if write.before else []
    if write.method == "delete" or write.resource.get("status") == "entered-in-error":
        _may_be_wrong(states_of(stood))
    if write.method == "delete":
        return Changes.none()
    given = decisions(write.resource)
    if given and given != stood:
        raise unprocessable(
            "Acceptance, rejection and recall of a lot follow from $accept and $recall; they are not written by hand.",
            "批次的验收、拒收与召回由 $accept 和 $recall 产生，不可直接填写。",
            at="Medication.extension",
            detail="consent.lot-decided-by-operation",
        )
    if stood and write.before and (changed := _altered(write.before.resource, write.resource)):
        raise unprocessable(
            "A lot that was decided about keeps its agent, strength, pack, number, expiry and maker; mark it as wrong and enter another.",
            "已验收或召回的批次不能改变药品、浓度、包装、批号、有效期和生产企业；请标记为错误并另建。",
            at=f"Medication.{changed}",
            detail="consent.lot-fixed",
        )
    if _is_contrast(write.resource):  # one lot of a rescue drug may lie in several carts
        _readable(write.resource)
        await _entered_once(write, desk)
    return Changes(append={"extension": stood} if stood and not given else {})


async def movement_written(write: Write, desk: Desk) -> Changes:
    """A receipt or waste of a lot says how much, when, and from or by whom; it is found by its lot from then on."""
    item = reference_of(write.resource.get("suppliedItem", {}).get("itemReference"))
    if write.method == "delete" or not item.startswith("Medication/"):
        return Changes.none()
    medication = await desk.read(item)
    lot = lot_of(medication.resource, settings_of(desk).time_zone) if medication is not None else None
    if medication is None or lot is None:
        return Changes.none() if write.imported else Changes(refuse=FhirError(422, [_NO_LOT]))
    was = write.before.resource if write.before else {}
    if was and reference_of(was.get("suppliedItem", {}).get("itemReference")) != item:
        return Changes(refuse=FhirError(422, [_SAME_ITEM]))
    issues = [] if write.imported else _wrong(write.resource, lot.pack_ml, desk)
    if issues:
        return Changes(refuse=FhirError(422, issues))
    told = [] if write.imported else await overdrawn(medication, write.resource, desk)
    return Changes(save=told, append=identified(write.resource, LOT_ID, medication.resource["id"]))


def _is_contrast(medication: Resource) -> bool:
    return agent_of_lot(medication) is not None or is_contrast_agent(codes_in(medication.get("code")))


def _altered(before: Resource, after: Resource) -> str:
    return next((name for name in _DECIDED_UPON if before.get(name) != after.get(name)), "")


def _may_be_wrong(decided: list[str]) -> None:
    """A lot that was turned away is not entered anew, nor what was found wrong with it forgotten."""
    if RECALLED in decided:
        raise conflict(
            "A recalled lot stays on record as recalled: entered anew it could be accepted again.",
            "已召回的批次须保留召回记录，不能删除或标记为错误。",
            at="Medication.status",
            detail="consent.lot-recalled",
        )
    if REJECTED in decided:
        raise conflict(
            "A rejected lot stays on record as rejected: entered anew it could be accepted.",
            "已拒收的批次须保留拒收记录，不能删除或标记为错误。",
            at="Medication.status",
            detail="consent.lot-rejected",
        )


def _readable(medication: Resource) -> None:
    """Strength and pack of a numbered lot are in units that can be counted with."""
    if not lot_number(medication):
        return
    for place, ingredient in enumerate(medication.get("ingredient", [])):
        if "strength" in ingredient and strength_mg_per_ml(ingredient["strength"]) is None:
            raise unprocessable(
                "The strength is a mass per volume, such as 350 mg / 1 mL.",
                "浓度须为质量比体积，例如 350 mg / 1 mL。",
                at=f"Medication.ingredient[{place}].strength",
                detail="consent.lot-strength-unit",
            )
    packed = medication.get("amount", {}).get("numerator")
    if packed is not None and not (amount(packed, ML) or 0) > 0:
        raise unprocessable(
            "The amount of a pack is a volume, such as 100 mL.",
            "每包装的量须为体积，例如 100 mL。",
            at="Medication.amount.numerator",
            detail="consent.lot-pack-unit",
        )


async def _entered_once(write: Write, desk: Desk) -> None:
    """Two records of one lot would let a recall of the one pass by the other."""
    number = lot_number(write.resource)
    if not number or write.resource.get("status") == "entered-in-error":
        return
    for other in await desk.search(numbered(number)):
        stands = other.resource.get("status") != "entered-in-error" and other.reference != write.reference
        if stands and same_lot(other.resource, write.resource):
            raise conflict(
                f"This lot is entered already: {other.reference}. What comes in of it is a further SupplyDelivery.",
                f"该批次已登记：{other.reference}。再次到货请登记为新的 SupplyDelivery。",
                at="Medication.batch.lotNumber",
                detail="consent.lot-entered",
            )


def _wrong(delivery: Resource, pack_ml: Decimal | None, desk: Desk) -> list[Issue]:
    issues = []
    if movement_of(delivery) not in (RECEIPT, WASTE):
        issues.append(_issue("extension", "库存变动为 receipt 或 waste。", "A movement is receipt or waste.", MOVEMENT))
    if delivery.get("status") != "completed":
        return issues
    volume_ml = delivered_ml(delivery, pack_ml)
    if volume_ml is None or volume_ml <= 0:
        zh = "须注明数量：以毫升计，或以已知规格的单个包装（瓶、支、袋等）计；箱、盒须换算。"
        en = "It says how much: in ml, or in single packs (bottle, vial, syringe, bag) of a lot whose pack is stated; no boxes."
        issues.append(_issue("suppliedItem.quantity", zh, en))
    at = moment(delivery.get("occurrenceDateTime"), settings_of(desk).time_zone)
    if at is None or at > desk.now:
        zh, en = "须注明日期，且不晚于现在。", "It says when, and that is not in the future."
        issues.append(_issue("occurrence", zh, en))
    if movement_of(delivery) == RECEIPT and not delivery.get("supplier"):
        issues.append(_issue("supplier", "到货须注明供应商。", "A receipt names the supplier."))
    if not delivery.get("receiver"):
        zh, en = "须注明经办人员。", "It names the person who received or discarded it."
        issues.append(_issue("receiver", zh, en))
    return issues


def _issue(member: str, zh: str, en: str, url: str = "") -> Issue:
    at = f"SupplyDelivery.{member}" + (f".where(url='{url}')" if url else "")
    return Issue("business-rule", zh=zh, en=en, at=at, detail="consent.lot-movement")


_NO_LOT = Issue(
    "business-rule",
    zh="所供物品须为此处已登记的批次。",
    en="What is supplied is a lot that is entered here.",
    at="SupplyDelivery.suppliedItem.itemReference",
    detail="consent.lot-movement",
)
_SAME_ITEM = Issue(
    "business-rule",
    zh="已登记的库存变动不能改到其他批次；请标记为错误并另建。",
    en="A movement stays with its lot; mark it as wrong and make another.",
    at="SupplyDelivery.suppliedItem.itemReference",
    detail="consent.lot-movement",
)

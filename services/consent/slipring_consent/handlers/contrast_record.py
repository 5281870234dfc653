"""An administration is written: the gate answers, and beside it the record of contrast is looked at (5.5.3 g, 4.13)."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Resource, Stored, Write

from slipring_consent.contrast.holding import LOT_NUMBER, contained_lot, identified
from slipring_consent.contrast.injection import unreadable
from slipring_consent.contrast.known import PERMITTED
from slipring_consent.contrast.lots import lot_number
from slipring_consent.contrast.recording import on_fact
from slipring_consent.gate.weighing import gives_contrast
from slipring_consent.handlers.injection import FACTS, contrast_written


async def administration_written(write: Write, desk: Desk) -> Changes:
    """What the gate or the fact asks for, with what the record itself says; other drugs are plain records."""
    if write.method == "delete":
        return await contrast_written(write, desk)
    inside = contained_lot(write.resource)
    marked = Changes(append=identified(write.resource, LOT_NUMBER, lot_number(inside)) if inside else {})
    if write.imported:
        return marked.plus(await contrast_written(write, desk))
    wrong = list(unreadable(write.resource))
    if wrong and await gives_contrast(write.resource, desk):
        return Changes(refuse=FhirError(422, [_unreadable(at) for at in wrong]))
    changes = marked.plus(await contrast_written(write, desk))
    if changes.refuse is not None or write.resource.get("status") not in FACTS:
        return changes
    if not await gives_contrast(write.resource, desk):
        return changes
    return changes.plus(Changes(save=await on_fact(write.resource, await _permitted(write.before, desk), desk)))


async def _permitted(before: Stored | None, desk: Desk) -> Resource | None:
    """The last version that was permitted and not over: what was planned; None when contrast was given without."""
    while before is not None and before.resource.get("status") not in PERMITTED:
        before = await desk.read_version(before.reference, before.version - 1)
    return before.resource if before is not None else None


def _unreadable(at: str) -> Issue:
    return Issue(
        "value",
        zh="该数值须为此项的 UCUM 单位（ml、ml/s、psi、kPa、℃ 等），不带比较符，且不小于零。",
        en="This is an amount in a UCUM unit of its kind (mL, mL/s, [psi], kPa, Cel), without a comparator and not below zero.",
        at=at,
        detail="consent.contrast-amount",
    )

"""What the room of contrast writes, in FHIR spelling: the recall of a lot, and the lines of its stock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import Resource

from slipring_consent.contrast.amounts import UCUM
from slipring_consent.reading import instant, reference_of
from slipring_consent.resources import PARAMETER, TASK_CODE, concept

_RECEIVED_BY = concept(PARAMETER, "received-by", "使用记录", "who received it")
_NOTICE = concept(PARAMETER, "recall-notice", "召回通知编号", "number of the recall notice")


def as_recall(
    task_id: str, lot: str, given: Iterable[Resource], reason: Resource, *, who: str, now: datetime, notice: str = ""
) -> Resource:
    """The Task that follows a recalled lot until everybody who got it was looked after."""
    title = concept(TASK_CODE, "lot-recall", "批次召回：告知并随访使用者", "Lot recalled: inform and follow who got it")
    told = [{"type": _NOTICE, "valueString": notice}] if notice else []
    received = [received_by(one) for one in given]
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": title,
        "focus": {"reference": lot},
        "authoredOn": instant(now),
        "requester": {"reference": who},
        "reasonCode": reason,
        **({"input": told} if told else {}),
        **({"output": received} if received else {}),
    }


def received_by(administration: Resource) -> Resource:
    """One line of a recall: an administration of the lot."""
    return {
        "type": _RECEIVED_BY,
        "valueReference": {"reference": f"MedicationAdministration/{administration['id']}"},
    }


def named_in(task: Resource) -> set[str]:
    """The administrations that a recall names."""
    return {reference_of(line.get("valueReference")) for line in task.get("output", [])}


def as_volume(volume_ml: Decimal) -> Resource:
    """A volume as a Quantity in ml."""
    return {"value": volume_ml, "unit": "mL", "system": UCUM, "code": "mL"}

"""After records were merged or taken apart, open permissions wait until a named person has confirmed who the patient is.

The wait is a Task of code `identity-confirmation` beside the exam; consent follows it and holds contrast as well.
"""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource, Save, Stored

from slipring_order import resources
from slipring_order.reading import has_code, instant

CODE = "identity-confirmation"
_WAITING = ("requested", "rejected")


def is_confirmation(task: Resource) -> bool:
    """Whether a Task asks that an identity be confirmed."""
    return has_code(task.get("code"), resources.TASK_CODE_SYSTEM, CODE)


async def waits(exam: Stored, desk: Desk) -> bool:
    """Whether nobody has confirmed the identity, or somebody has denied it."""
    found = await desk.search(f"Task?part-of={exam.reference}&code={resources.TASK_CODE_SYSTEM}|{CODE}")
    return any(one.resource.get("status") in _WAITING for one in found if not one.source)


async def asked(exam: Stored, desk: Desk) -> list[Save]:
    """The Task that asks for a confirmation; none when one is open already."""
    if await waits(exam, desk):
        return []
    task: Resource = {
        "resourceType": "Task",
        "id": desk.new_id(),
        "basedOn": exam.resource.get("basedOn"),
        "partOf": [{"reference": exam.reference}],
        "groupIdentifier": exam.resource.get("groupIdentifier"),
        "status": "requested",
        "intent": "order",
        "priority": exam.resource.get("priority"),
        "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": CODE}]},
        "description": "患者档案已合并或拆分：检查前请确认身份。Records were merged or taken apart: confirm the identity.",
        "focus": {"reference": exam.reference},
        "for": exam.resource.get("for"),
        "authoredOn": instant(desk.now),
        "lastModified": instant(desk.now),
    }
    return [Save({name: value for name, value in task.items() if value is not None})]

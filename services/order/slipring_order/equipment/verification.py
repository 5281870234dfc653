"""An exam that was scanned between the last good test and the next one is looked at by a person: a Task of its own. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored

from slipring_order.equipment.round import OUTPUT_SYSTEM, with_outputs
from slipring_order.nonconformity import department_task
from slipring_order.reading import has_code, instant, reference_of
from slipring_order.resources import TASK_CODE_SYSTEM

VERIFICATION = "exam-verification"
RESULT_SYSTEM = f"{CANONICAL}/CodeSystem/exam-verification-result"
CONCLUSIONS = ("unaffected", "report-to-amend", "exam-to-repeat")
OPEN = "requested,received,accepted,in-progress,on-hold"
_CLAUSE = "CL02-A011:4.9"


def is_verification(task: Resource) -> bool:
    """Whether a Task is the verification of an exam."""
    return has_code(task.get("code"), TASK_CODE_SYSTEM, VERIFICATION)


def as_verification(
    exam: Resource, nonconformity: Stored, *, id: str, zh: str, en: str, owner: str, who: str, now: datetime
) -> Resource:
    """The Task: this exam is to be looked at because of that failure; `zh`, `en`: the test that failed."""
    task = department_task(
        VERIFICATION, id=id, zh=f"核查存疑检查：{zh}超限期间所做", en=f"Look at an exam made while out of limits: {en}",
        clause=_CLAUSE, about=f"Task/{exam['id']}", now=now, evidence=_evidence(nonconformity), who=who,
    )  # fmt: skip
    named = {name: exam[name] for name in ("basedOn", "for") if exam.get(name)}
    given = {"owner": {"reference": owner}} if owner else {}
    return {**task, **named, **given, "partOf": [{"reference": nonconformity.reference}]}


def concluded(task: Resource, conclusion: str, who: str, note: str, now: datetime) -> dict[str, Any]:
    """The members of a verification that somebody has concluded."""
    said = {"coding": [{"system": OUTPUT_SYSTEM, "code": "conclusion"}]}
    coded = {"coding": [{"system": RESULT_SYSTEM, "code": conclusion}]}
    output = with_outputs(task, "verifier", [who])
    noted = [{"authorReference": {"reference": who}, "time": instant(now), "text": note}] if note else []
    notes = [*task.get("note", []), *noted]
    return {
        "status": "completed",
        "lastModified": instant(now),
        "output": [*output, {"type": said, "valueCodeableConcept": coded}],
        **({"note": notes} if notes else {}),
    }


def _evidence(nonconformity: Stored) -> list[str]:
    reference = reference_of(nonconformity.resource.get("reasonReference"))
    return [reference] if reference else []

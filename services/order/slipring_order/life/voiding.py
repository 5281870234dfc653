"""A material change voids what was decided on a request; whoever decided is told.

Screening and consent of the exam are voided by consent, which follows the request.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_order.reading import codes, instant, reference_of

NOTICE = "notice"
_CLAUSE = "CL02-A011:5.4.1"


async def holders_told(request: Resource, exam: Stored, elements: Sequence[str], desk: Desk) -> list[Save]:
    """The record of a material change, and a notice to each person whose decision no longer holds."""
    places = [f"ServiceRequest.{name}" for name in elements]
    zh, en = (
        "申请的关键内容已更改，原决定失效。",
        "A material element of the request changed; what was decided no longer holds.",
    )
    finding = Finding(
        "order.material-change", "1", _CLAUSE, Weight.INFO, zh, en, places[0], {"elements": list(elements)}
    )
    about, subject = f"ServiceRequest/{request['id']}", reference_of(request.get("subject"))
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=about, now=desk.now)
    issue["implicated"].append({"reference": exam.reference})
    return [Save(issue), *(Save(_notice(exam, who, zh, en, desk)) for who in await _deciders(about, desk))]


async def _deciders(request: str, desk: Desk) -> list[str]:
    """Who let this request pass by name."""
    found = await desk.search(f"Provenance?target={request}")
    passed = [one.resource for one in found if "justified" in codes(one.resource.get("activity"))]
    return sorted({reference_of(agent.get("who")) for record in passed for agent in record.get("agent", [])} - {""})


def _notice(exam: Stored, who: str, zh: str, en: str, desk: Desk) -> Resource:
    task: Resource = {
        "resourceType": "Task",
        "id": desk.new_id(),
        "basedOn": exam.resource.get("basedOn"),
        "partOf": [{"reference": exam.reference}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": NOTICE}]},
        "description": f"{zh}{en}",
        "focus": {"reference": exam.reference},
        "for": exam.resource.get("for"),
        "authoredOn": instant(desk.now),
        "owner": {"reference": who},
    }
    return {name: value for name, value in task.items() if value is not None}

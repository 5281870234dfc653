"""A severe reaction is handed over to the critical service: the finding and the Task that stays open till it is taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from slipring.clauses.critical_findings import critical_finding
from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reactions.grades import worst_of
from slipring_consent.reactions.said import happened, kind_of
from slipring_consent.reading import instant, reference_of
from slipring_consent.resources import TASK_CODE, concept

FINDING = "CV-CT-15"
CRITICAL_FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
HANDOVER_STATE = f"{CANONICAL}/CodeSystem/handover-state"
FINDING_LEVEL = f"{CANONICAL}/CodeSystem/finding-level"
_OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_STATES = {
    "not-taken-over": ("尚未接收", "not yet taken over"),
    "taken-over": ("已接收", "taken over"),
    "overdue": ("超时未接收", "overdue"),
}


def to_be_told(event: Resource) -> bool:
    """Whether a reaction is one that is told at once, of whatever kind: it happened, and it is severe."""
    return happened(event) and worst_of(event.get("severity")) == "severe"


def finding_id(event: Resource, raised: int = 1) -> str:
    """The id of the finding of one reaction, for each time it became severe (1, 2, ...)."""
    return _derived(event, "finding", raised)


def handover_id(event: Resource, raised: int = 1) -> str:
    """The id of the hand-over of that finding: a reaction is handed over once each time it becomes severe."""
    return _derived(event, "hand-over", raised)


def timer_key(handover: str) -> str:
    """The key of the timer that says when nobody has taken it over."""
    return f"handover:{handover}"


def state(code: str) -> Resource:
    """Where a hand-over stands."""
    return concept(HANDOVER_STATE, code, *_STATES[code])


def as_finding(event: Resource, exam: str, who: str, *, raised: int = 1, now: datetime) -> Resource:
    """The severe reaction as the Observation from which critical opens its case."""
    entry = critical_finding(FINDING)
    level = str(entry.level) if entry else "1"
    names = (entry.zh, entry.en) if entry else ("", "")
    finding: Resource = {
        "resourceType": "Observation",
        "id": finding_id(event, raised),
        "status": "preliminary",
        "category": [concept(_OBSERVATION, "exam", "检查", "Exam")],
        "code": concept(CRITICAL_FINDING, FINDING, *names),
        "subject": event["subject"],
        "focus": [{"reference": f"AdverseEvent/{event['id']}"}],
        "effectiveDateTime": event.get("date") or instant(now),
        "issued": instant(now),
        "interpretation": [concept(_INTERPRETATION, "AA", "危急", "Critical abnormal")],
        "component": [
            {"code": {"text": "finding level"}, "valueCodeableConcept": concept(FINDING_LEVEL, level, f"{level} 级")}
        ],
    }
    if kind_of(event):
        finding["valueCodeableConcept"] = event["event"]
    if exam:
        finding["basedOn"] = [{"reference": exam}]
    if who:
        finding["performer"] = [{"reference": who}]
    return finding


def as_handover(event: Resource, who: str, *, within: timedelta, raised: int = 1, now: datetime) -> Resource:
    """The hand-over: open until critical's case comes back."""
    handover: Resource = {
        "resourceType": "Task",
        "id": handover_id(event, raised),
        "basedOn": [{"reference": f"AdverseEvent/{event['id']}"}],
        "status": "requested",
        "businessStatus": state("not-taken-over"),
        "intent": "order",
        "priority": "stat",
        "code": concept(TASK_CODE, "hand-over", "危急值移交", "hand-over of a critical finding"),
        "focus": {"reference": f"Observation/{finding_id(event, raised)}"},
        "for": event["subject"],
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "restriction": {"period": {"end": instant(now + within)}},
    }
    if event.get("encounter"):
        handover["encounter"] = event["encounter"]
    if who:
        handover["requester"] = {"reference": who}
    return handover


def as_telephone(task_id: str, handover: Resource, *, now: datetime) -> Resource:
    """The Task that asks whoever saw the reaction to telephone, because nothing has taken it over."""
    told: Resource = {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "priority": "stat",
        "code": concept(TASK_CODE, "notice", "通知", "Notice"),
        "description": "重度不良反应尚未被危急值服务接收，请立即电话通知临床和抢救小组。"
        "The severe reaction is not yet taken over by the critical service: telephone the ward and the rescue team now.",
        "for": handover["for"],
        "focus": handover["basedOn"][0],
        "authoredOn": instant(now),
    }
    who = reference_of(handover.get("requester"))
    return told | ({"owner": {"reference": who}} if who else {})


def _derived(event: Resource, part: str, raised: int) -> str:
    again = f"-{raised}" if raised > 1 else ""
    name = f"{CANONICAL}/AdverseEvent/{event['id']}#{part}{again}"
    return f"c-{uuid5(NAMESPACE_URL, name)}"

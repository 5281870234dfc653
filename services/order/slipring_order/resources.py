"""Decisions out: the exam Task, the guidance, the record of a decision, in FHIR spelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource, Save, Stored, successor

from slipring_order import lifecycle
from slipring_order.catalogue import Item
from slipring_order.judgement import Judgement
from slipring_order.mapping_record import INPUT_SYSTEM, exam_input, used_map
from slipring_order.reading import has_code, identifier_of, instant

STATE_SYSTEM = f"{CANONICAL}/CodeSystem/exam-state"
TASK_CODE_SYSTEM = f"{CANONICAL}/CodeSystem/task-code"
MISSING_SYSTEM = f"{CANONICAL}/CodeSystem/missing-item"
MITIGATION_SYSTEM = f"{CANONICAL}/CodeSystem/finding-mitigation"
CONTRAST_CONDITION = f"{CANONICAL}/StructureDefinition/contrast-condition"
GUIDANCE_MODULE = f"{CANONICAL}/PlanDefinition/ct-justification"
GUIDANCE_OUTCOME = f"{CANONICAL}/StructureDefinition/justification-outcome"
ACSN_SYSTEM = f"{CANONICAL}/sid/imaging-number"
FILL_SYSTEM = f"{CANONICAL}/sid/filler-order"
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_NUMBER_DIGITS = 6


def imaging_number(prefix: str, day: datetime, number: int, zone: ZoneInfo) -> str:
    """The unique imaging number: prefix, day of receipt in the department, six digits of the sequence.

    >>> imaging_number("CT", datetime(2026, 11, 22, 16, 30, tzinfo=ZoneInfo("UTC")), 123, ZoneInfo("Asia/Shanghai"))
    'CT20261123000123'
    """
    digits = f"{number % 10**_NUMBER_DIGITS:0{_NUMBER_DIGITS}d}"
    return f"{prefix}{day.astimezone(zone):%Y%m%d}{digits}"


def department_identifiers(request: Resource, number: str) -> list[Resource]:
    """The two identifiers that the department gives a request: its filler number and the imaging number."""
    return [
        {"type": _type("FILL"), "system": FILL_SYSTEM, "value": request["id"]},
        {"type": _type("ACSN"), "system": ACSN_SYSTEM, "value": number},
    ]


def exam_task(request: Resource, number: str, judgement: Judgement, *, id: str, now: datetime) -> Resource:
    """The exam's coordination Task; the request itself stays the placer's authorisation."""
    reference = {"reference": f"ServiceRequest/{request['id']}"}
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "basedOn": [reference],
        "groupIdentifier": {"type": _type("ACSN"), "system": ACSN_SYSTEM, "value": number},
        "status": "received",
        "businessStatus": state_concept("received"),
        "intent": "order",
        "priority": request.get("priority", "routine"),
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "exam"}]},
        "focus": reference,
        "for": request.get("subject"),
        "encounter": request.get("encounter"),
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "requester": request.get("requester"),
    }
    task["input"] = exam_input(task, judgement)
    task = {name: value for name, value in task.items() if value is not None}
    return {**task, **state_members(judgement.outcome, now, judgement.missing)}


def state_members(state: str, now: datetime, missing: Sequence[Item] = ()) -> dict[str, Any]:
    """The members of the exam Task that follow from its state; None removes one."""
    return {
        "status": lifecycle.task_status(state),
        "businessStatus": state_concept(state),
        "statusReason": missing_concept(missing) if missing and state == "awaiting-information" else None,
        "lastModified": instant(now),
    }


def moved(task: Stored, state: str, now: datetime, missing: Sequence[Item] = (), **members: Any) -> Save:
    """The exam Task in another state; also after a clock set back it changes no earlier than it was written (R4, inv-1)."""
    changed_at = max(now, datetime.fromisoformat(task.resource["authoredOn"]))
    return successor(task, **{**state_members(state, changed_at, missing), **members})


def state_of(task: Resource) -> str:
    """The exam state of a Task, or an empty string."""
    for coding in task.get("businessStatus", {}).get("coding", []):
        if coding.get("system") == STATE_SYSTEM:
            return str(coding.get("code", ""))
    return ""


def is_exam(task: Resource) -> bool:
    """Whether a Task is an exam's coordination Task."""
    return has_code(task.get("code"), TASK_CODE_SYSTEM, "exam")


def state_concept(state: str) -> Resource:
    """An exam state as a CodeableConcept, named in both languages."""
    zh, en = lifecycle.names(state)
    return {"coding": [{"system": STATE_SYSTEM, "code": state, "display": zh, **_also(en, "display")}], "text": zh}


def missing_concept(missing: Sequence[Item]) -> Resource:
    """The coded list of what is missing, in both languages."""
    zh = f"申请缺少：{'、'.join(item.zh for item in missing)}。"
    en = f"The request lacks {', '.join(item.en for item in missing)}."
    return {
        "coding": [
            {"system": MISSING_SYSTEM, "code": item.code, "display": item.zh, **_also(item.en, "display")}
            for item in missing
        ],
        "text": zh,
        **_also(en, "text"),
    }


def guidance(request: Resource, number: str, judgement: Judgement, *, id: str, now: datetime) -> Resource:
    """What the rule set said about a request, as a GuidanceResponse found by the imaging number."""
    needs = judgement.outcome == "awaiting-information"
    return {
        "resourceType": "GuidanceResponse",
        "id": id,
        "extension": [
            {"url": GUIDANCE_OUTCOME, "valueCode": judgement.outcome},
            {"url": f"{CANONICAL}/StructureDefinition/about", "valueReference": {"reference": _about(request)}},
            *used_map(judgement),
        ],
        "requestIdentifier": {"system": ACSN_SYSTEM, "value": number},
        "moduleCanonical": f"{GUIDANCE_MODULE}|{judgement.rule_set}" if judgement.rule_set else GUIDANCE_MODULE,
        "status": "data-required" if needs else "success",
        "subject": request["subject"],
        "occurrenceDateTime": instant(now),
        "reasonCode": [{"coding": [{"system": STATE_SYSTEM, "code": judgement.outcome}]}],
        "note": [{"text": finding.zh} for finding in judgement.findings],
    } | ({} if judgement.findings else {"note": [{"text": "规则全部通过。All rules passed."}]})


def outcome_in(guidance_response: Resource) -> str:
    """The outcome that a GuidanceResponse of ours carries."""
    found = (e.get("valueCode") for e in guidance_response.get("extension", []) if e.get("url") == GUIDANCE_OUTCOME)
    return next((str(code) for code in found if code), "")


def mitigated(issue: Stored, code: str, zh: str, en: str, now: datetime, author: str = "") -> Save:
    """A finding that was answered or overridden: it stays, with what was done about it."""
    action = {"coding": [{"system": MITIGATION_SYSTEM, "code": code, "display": en}], "text": zh}
    done: Resource = {"action": action, "date": instant(now)}
    if author:
        done["author"] = {"reference": author}
    return successor(issue, mitigation=[*issue.resource.get("mitigation", []), done])


def decision_provenance(
    task: Stored,
    request: Resource,
    decision: str,
    reason: Resource,
    decider: str,
    title: str,
    *,
    id: str,
    now: datetime,
) -> Resource:
    """Who decided on the justification, with title, time and reason."""
    return {
        "resourceType": "Provenance",
        "id": id,
        "target": [
            {"reference": f"{task.reference}/_history/{task.version + 1}"},
            {"reference": _about(request)},
        ],
        "recorded": instant(now),
        "reason": [reason],
        "activity": {"coding": [{"system": f"{CANONICAL}/CodeSystem/justification-decision", "code": decision}]},
        "agent": [
            {
                "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/agent-type", "code": "decider"}]},
                "role": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-title", "code": title}]}],
                "who": {"reference": decider},
            }
        ],
    }


def follow_up_task(
    exam: Stored, passed: Sequence[tuple[str, str, str]], decider: str, *, id: str, now: datetime
) -> Resource:
    """What an emergency decision passed, to be completed after the exam: (code, zh, en) each."""
    zh = "检查后补齐：" + "；".join(text for _, text, _ in passed)
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "basedOn": exam.resource.get("basedOn", []),
        "partOf": [{"reference": exam.reference}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "follow-up"}]},
        "description": zh,
        "focus": exam.resource["focus"],
        "for": exam.resource.get("for"),
        "authoredOn": instant(now),
        "requester": {"reference": decider},
        "owner": exam.resource.get("requester"),
        "input": [
            {
                "type": {"coding": [{"system": INPUT_SYSTEM, "code": "passed"}]},
                "valueCodeableConcept": {"coding": [{"code": code, "display": en}], "text": text},
            }
            for code, text, en in passed
        ],
    }
    return {name: value for name, value in task.items() if value}


def number_of(request: Resource) -> str:
    """The imaging number that a request carries, or an empty string."""
    identifier = identifier_of(request, "ACSN")
    return str(identifier["value"]) if identifier else ""


def _about(request: Resource) -> str:
    return f"ServiceRequest/{request['id']}"


def _type(code: str) -> Resource:
    return {"coding": [{"system": _V2_0203, "code": code}]}


def _also(english: str, member: str) -> Resource:
    """The English beside a Chinese member, as the standard translation extension."""
    content = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": english}]
    return {f"_{member}": {"extension": [{"url": TRANSLATION, "extension": content}]}}

"""Performed steps as a scanner reports them become a Procedure, and move their exam: facts, never refused by a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_order import lifecycle, resources
from slipring_order.dicom.names import human_names
from slipring_order.dicom.step_facts import COMPLETED, DISCONTINUED, IN_PROGRESS, StepFacts
from slipring_order.life.discontinuing import reason_concept, reasons
from slipring_order.life.moving import exam_follows
from slipring_order.life.stopped import stopped_at
from slipring_order.life.unpermitted import opened, without_permission
from slipring_order.reading import instant
from slipring_order.rooms.step import UID_SYSTEM

STEP_NUMBER = f"{CANONICAL}/sid/performed-step"
_IMAGING = {"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}
_STATUS = {IN_PROGRESS: "in-progress", COMPLETED: "completed", DISCONTINUED: "stopped"}
_TARGET = {IN_PROGRESS: "in-progress", COMPLETED: "acquired", DISCONTINUED: "discontinued"}
_BEGAN = ("设备报告检查已开始", "The scanner reports the start of an exam")
_UNSPECIFIED = "110513"  # discontinued for an unspecified reason


def procedure(facts: StepFacts, request: Stored | None, subject: Resource, device: str, *, id: str) -> Resource:
    """The Procedure of a step that has begun; its identifier is the step's SOP Instance UID."""
    made: Resource = {
        "resourceType": "Procedure",
        "id": id,
        "identifier": [
            {"system": UID_SYSTEM, "value": f"urn:oid:{facts.uid}"},
            *([{"system": STEP_NUMBER, "value": facts.step_id}] if facts.step_id else []),
        ],
        "basedOn": [{"reference": request.reference}] if request else None,
        "status": "in-progress",
        "category": {"coding": [_IMAGING]},
        "code": request.resource.get("code") if request else _named(facts),
        "subject": subject,
        "encounter": request.resource.get("encounter") if request else None,
        "usedReference": [{"reference": device}] if device else [{"display": facts.station}],
        **members(facts, {}),
    }
    return {name: value for name, value in made.items() if value is not None}


def members(facts: StepFacts, before: Resource) -> dict[str, Any]:
    """What a message says anew about a Procedure."""
    period = {**before.get("performedPeriod", {})}
    for name, at in (("start", facts.started_at), ("end", facts.ended_at)):
        if at is not None:
            period[name] = instant(at)
    said: dict[str, Any] = {"performedPeriod": period} if period else {}
    if facts.status:
        said["status"] = _STATUS[facts.status]
    if facts.status == DISCONTINUED:
        said["statusReason"] = why_discontinued(facts)
    if notes := [{"text": text} for text in _notes(facts)]:
        said["note"] = [*before.get("note", []), *notes]
    return said


def why_discontinued(facts: StepFacts) -> Resource:
    """The coded reason; a scanner that gives none has discontinued for an unspecified one."""
    code, meaning = facts.reason
    told = reason_concept(code if code in reasons() else _UNSPECIFIED)
    return {**told, "text": meaning} if meaning and code not in reasons() else told


def unknown_subject(facts: StepFacts) -> Resource:
    """The patient as the scanner names him, when no request does."""
    said: Resource = {"identifier": {"value": facts.patient_id}} if facts.patient_id else {}
    names = human_names(facts.patient_name)
    shown = "".join(
        filter(None, [*(str(n.get("family", "")) for n in names[:1]), *(names[0].get("given", []) if names else [])])
    )
    return {**said, "display": shown or "unknown"}


async def exam_moved(facts: StepFacts, exam: Stored, who: str, desk: Desk) -> list[Save]:
    """The exam as the step leaves it. What had no permission is moved all the same, and opens a nonconformity.

    A step that began before its exam was stopped as wrong is the wrong scan: what becomes of it moves nothing.
    """
    was, target = resources.state_of(exam.resource), _TARGET[facts.status]
    if was == target or lifecycle.reported(was, target) is None:
        return []
    stop = await stopped_at(exam, desk)
    if stop is not None and (facts.started_at or desk.now) <= stop:
        return []
    period = {**exam.resource.get("executionPeriod", {})}
    period.setdefault("start", instant(facts.started_at or desk.now))
    told: dict[str, Any] = {"executionPeriod": period}
    if target == "in-progress":
        period.pop("end", None)  # whatever was written before it began is not the end of it
    else:
        period["end"] = instant(facts.ended_at or desk.now)
    if target == "discontinued":
        told["statusReason"] = why_discontinued(facts)
    saves = [resources.moved(exam, target, desk.now, **told), *await exam_follows(exam, target, desk, period)]
    if was != "in-progress":
        saves += await without_permission(exam, was, who, _BEGAN, desk)
    return saves


def unlisted(facts: StepFacts, made: Resource, who: str, desk: Desk) -> list[Save]:
    """That a scan was done which is on no worklist: a nonconformity and the finding it is about."""
    finding = Finding(
        "order.scan-listed",
        "1",
        "CL02-A011:5.4.6",
        Weight.WARN,
        "设备报告了一次未登记的检查，没有对应的唯一影像检查号。",
        "The scanner reports an exam that is on no worklist: no request has its imaging number.",
        "Procedure.basedOn",
    )
    subject = str(made["subject"].get("reference", ""))
    issue, task = opened(finding, f"Procedure/{made['id']}", subject, who, desk)
    return [Save(issue), Save({**task, "for": {"reference": subject}} if subject else task)]


def _named(facts: StepFacts) -> Resource | None:
    return {"text": facts.description} if facts.description else None


def _notes(facts: StepFacts) -> Iterator[str]:
    if facts.description:
        yield facts.description
    if facts.series:
        yield "; ".join(f"{said or uid}: {number}" for uid, said, number in facts.series)

"""`Task/[id]/$release`: a named person lets a patient leave observation, in one call; judged as a plain update is."""

from __future__ import annotations

from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored

from slipring_consent.catalogue import data_file
from slipring_consent.lifecycle import OBSERVATION, illegal
from slipring_consent.observing.ending import released
from slipring_consent.observing.policy import outcomes
from slipring_consent.observing.resources import coded, is_observation, said


async def observation_released(call: Call, desk: Desk) -> Changes:
    """End an observation; the answer holds what was not right and what the patient is told, in both languages."""
    standing = _observation(call)
    if error := illegal(OBSERVATION, standing.resource["status"], "completed", "Task.status"):
        return Changes(refuse=error)
    task = _said_of(call, standing.resource, desk)
    changes = await released(task, standing.resource, desk)
    if changes.refuse is not None:
        return Changes(refuse=changes.refuse)
    ended: Resource = {
        **task,
        **changes.members,
        "output": [*task.get("output", []), *changes.append.get("output", ())],
    }
    issues = [save.resource for save in changes.save if save.resource["resourceType"] == "DetectedIssue"]
    return Changes(
        save=[Save(ended, replaces=standing.version), *changes.save],
        wake=changes.wake,
        cancel=changes.cancel,
        answer=_answer(ended, issues),
    )


def _observation(call: Call) -> Stored:
    if call.target is None or not is_observation(call.target.resource):
        raise unprocessable(
            "Only an observation after an injection is released so.",
            "只有注射后留观任务可以这样解除。",
            at="Task.code",
            detail="consent.no-observation",
        )
    return call.target


def _said_of(call: Call, standing: Resource, desk: Desk) -> Resource:
    """The Task as whoever releases would have written it."""
    by = call.value("by") or ({"reference": desk.caller.practitioner} if desk.caller.practitioner else None)
    outcome, removed, to = call.value("outcome") or "released", call.value("cannulaRemoved"), call.value("to")
    if outcome not in outcomes():
        raise unprocessable(
            f"An observation ends in one of these ways: {', '.join(outcomes())}.",
            f"留观结局须为以下之一：{'、'.join(outcomes())}。",
            at=call.at("outcome"),
            code="code-invalid",
            detail="consent.observation-outcome",
        )
    output = [said("observation-outcome", valueCodeableConcept=coded("observation-outcome", outcome))]
    output += [said("vital-signs", valueReference=one) for one in call.values("vitalSigns")]
    output += [said("cannula-removed", valueBoolean=removed)] if removed is not None else []
    output += [said("receiver", valueReference=to)] if to else []
    members: dict[str, Any] = {"status": "completed", "output": [*standing.get("output", []), *output]}
    members |= {"owner": by} if by else {}
    members |= {"statusReason": call.value("reason")} if call.value("reason") else {}
    note = call.value("note")
    members |= {"note": [*standing.get("note", []), {"text": note}]} if note else {}
    kept = {name: value for name, value in standing.items() if name != "owner"}
    return {**kept, **members}


def _answer(ended: Resource, issues: list[Resource]) -> Resource:
    words = data_file("aftercare.toml")["instructions"]
    told = [{"name": f"instructions{name.title()}", "valueString": words[name].strip()} for name in ("zh", "en")]
    found = [{"name": "issue", "resource": issue} for issue in issues]
    return {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": ended}, *found, *told]}

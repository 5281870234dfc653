"""The body of a feedback call as the parameters of `ServiceRequest/$advice-feedback`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.outcome import FhirError, Issue
from slipring.front.hooks.asked import Tree

_OUTCOMES = ("accepted", "overridden")
_MOST = 100


def told(body: Any, service: str) -> Tree:
    """Every entry of the feedback array; 400 names those that are not as the specification wants them."""
    entries = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST:
        raise FhirError(
            400,
            [
                Issue(
                    "required",
                    zh=f"feedback 须为 1 至 {_MOST} 项的数组。",
                    en=f"feedback is an array of 1 to {_MOST} entries.",
                    at="feedback",
                    detail="front.hook-feedback",
                )
            ],
        )
    faults = [fault for position, entry in enumerate(entries) for fault in _faults(position, entry)]
    if faults:
        raise FhirError(400, faults)
    parameters = [{"name": "feedback", "part": list(_parts(entry, service))} for entry in entries]
    return {"resourceType": "Parameters", "parameter": parameters}


def _faults(position: int, entry: Any) -> Iterator[Issue]:
    given = entry if isinstance(entry, dict) else {}
    for name in ("card", "outcome", "outcomeTimestamp"):
        if not isinstance(given.get(name), str) or not given[name]:
            at = f"feedback[{position}].{name}"
            yield Issue(
                "required", zh=f"缺少 {at}。", en=f"{at} is missing.", at=at, detail="front.hook-feedback-member"
            )
    if isinstance(given.get("outcome"), str) and given["outcome"] not in _OUTCOMES:
        yield Issue(
            "code-invalid",
            zh="outcome 须为 accepted 或 overridden。",
            en="outcome is accepted or overridden.",
            at=f"feedback[{position}].outcome",
            detail="front.hook-feedback-outcome",
        )
    if given.get("overrideReason") is not None and not isinstance(given["overrideReason"], dict):
        at = f"feedback[{position}].overrideReason"
        yield Issue(
            "structure",
            zh=f"{at} 须为对象。",
            en=f"{at} must be an object.",
            at=at,
            detail="front.hook-feedback-reason",
        )


def _parts(entry: Mapping[str, Any], service: str) -> Iterator[Tree]:
    yield {"name": "card", "valueUuid": f"urn:uuid:{str(entry['card']).removeprefix('urn:uuid:').lower()}"}
    yield {"name": "service", "valueCode": service}
    yield {"name": "outcome", "valueCode": entry["outcome"]}
    override: Mapping[str, Any] = entry.get("overrideReason") or {}
    reason = override.get("reason")
    if isinstance(reason, dict) and reason.get("code"):
        coding = {name: str(reason[name]) for name in ("system", "code", "display") if reason.get(name)}
        yield {"name": "reason", "valueCoding": coding}
    if isinstance(override.get("userComment"), str) and override["userComment"].strip():
        yield {"name": "comment", "valueString": override["userComment"]}
    yield {"name": "at", "valueInstant": entry["outcomeTimestamp"]}

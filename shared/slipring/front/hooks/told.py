"""The body of a feedback call as the parameters of `ServiceRequest/$advice-feedback`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.search.moment import zoned
from slipring.front.hooks.shape import Tree

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
    if (
        isinstance(given.get("outcomeTimestamp"), str)
        and given["outcomeTimestamp"]
        and not zoned(given["outcomeTimestamp"])
    ):
        yield _fault(
            position,
            "outcomeTimestamp",
            "outcomeTimestamp 须为带时区的时刻。",
            "outcomeTimestamp is a moment with its offset.",
            "front.hook-feedback-time",
        )
    yield from _of_reason(position, given.get("overrideReason"))
    yield from _of_suggestions(position, given.get("acceptedSuggestions"))


def _of_reason(position: int, override: Any) -> Iterator[Issue]:
    """A reason is a Coding, a comment is text; what is neither is refused rather than lost."""
    if override is None:
        return
    said = override if isinstance(override, dict) else {}
    reason, comment = said.get("reason"), said.get("userComment")
    coded = reason is None or (
        isinstance(reason, dict) and isinstance(reason.get("code"), str) and bool(reason["code"])
    )
    if not isinstance(override, dict) or not coded or not (comment is None or isinstance(comment, str)):
        where = "" if not isinstance(override, dict) else ".reason" if not coded else ".userComment"
        yield _fault(
            position,
            f"overrideReason{where}",
            "overrideReason 须为对象，其 reason 为 Coding，userComment 为文本。",
            "overrideReason is an object: its reason a Coding, its userComment text.",
            "front.hook-feedback-reason",
        )


def _of_suggestions(position: int, accepted: Any) -> Iterator[Issue]:
    if accepted is None:
        return
    listed = accepted if isinstance(accepted, list) else [None]
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in listed):
        yield _fault(
            position,
            "acceptedSuggestions",
            "acceptedSuggestions 须为含 id 的对象数组。",
            "acceptedSuggestions is an array of objects with an id.",
            "front.hook-feedback-suggestions",
        )


def _fault(position: int, member: str, zh: str, en: str, detail: str) -> Issue:
    return Issue("value", zh=zh, en=en, at=f"feedback[{position}].{member}", detail=detail)


def _parts(entry: Mapping[str, Any], service: str) -> Iterator[Tree]:
    yield {"name": "card", "valueUuid": f"urn:uuid:{str(entry['card']).removeprefix('urn:uuid:').lower()}"}
    yield {"name": "service", "valueCode": service}
    yield {"name": "outcome", "valueCode": entry["outcome"]}
    override: Mapping[str, Any] = entry.get("overrideReason") or {}
    reason = override.get("reason")
    if isinstance(reason, dict):
        coding = {name: str(reason[name]) for name in ("system", "code", "display") if reason.get(name)}
        yield {"name": "reason", "valueCoding": coding}
    if isinstance(override.get("userComment"), str) and override["userComment"].strip():
        yield {"name": "comment", "valueString": override["userComment"]}
    yield {"name": "at", "valueInstant": entry["outcomeTimestamp"]}

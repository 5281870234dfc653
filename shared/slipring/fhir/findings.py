"""A rule's finding as a DetectedIssue: the evidence that a rule was applied, with all it saw."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Finding, Limit, Weight

RULE_SYSTEM = f"{CANONICAL}/CodeSystem/rule"
RULE_RESULT = f"{CANONICAL}/StructureDefinition/rule-result"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"

_SEVERITY = {Weight.STOP: "high", Weight.ASK: "moderate", Weight.WARN: "moderate", Weight.INFO: "low"}


def as_detected_issue(
    finding: Finding, *, id: str, subject: str, about: str, now: datetime, author: str = ""
) -> Resource:
    """Write a finding as a DetectedIssue on the patient `subject`, about the resource `about`.

    `detail` is Chinese, with English in the standard translation extension. The extension `rule-result` carries
    rule, version, clause, weight, place, the inputs as JSON text, and the limit with its source and confidence.
    """
    issue: Resource = {
        "resourceType": "DetectedIssue",
        "id": id,
        "extension": [_rule_result(finding)],
        "status": "final",
        "code": {"coding": _codings(finding), "text": finding.zh},
        "severity": _SEVERITY[finding.weight],
        "identifiedDateTime": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "implicated": [{"reference": about}],
        "detail": finding.zh,
        "_detail": {"extension": [_translation(finding.en)]},
    }
    if subject:
        issue["patient"] = {"reference": subject}
    if author:
        issue["author"] = {"reference": author}
    return issue


def rule_of(issue: Resource) -> str:
    """The rule id that a DetectedIssue names, or an empty string."""
    codings = issue.get("code", {}).get("coding", [])
    return next((str(coding["code"]) for coding in codings if coding.get("system") == RULE_SYSTEM), "")


def _codings(finding: Finding) -> list[Resource]:
    codings = [{"system": RULE_SYSTEM, "version": finding.version, "code": finding.rule, "display": finding.en}]
    if finding.domain:
        codings.append({"system": f"{CANONICAL}/CodeSystem/department-rule", "code": finding.domain})
    return codings


def _rule_result(finding: Finding) -> Resource:
    parts: list[Resource] = [
        {"url": "rule", "valueCode": finding.rule},
        {"url": "version", "valueString": finding.version},
        {"url": "clause", "valueString": finding.clause},
        {"url": "weight", "valueCode": str(finding.weight)},
    ]
    if finding.at:
        parts.append({"url": "at", "valueString": finding.at})
    if finding.softened:
        parts.append({"url": "unconfirmed-default", "valueBoolean": True})
    if finding.inputs:
        parts.append({"url": "inputs", "valueString": _text(dict(finding.inputs))})
    if finding.limit:
        parts.append({"url": "limit", "extension": _limit(finding.limit)})
    return {"url": RULE_RESULT, "extension": parts}


def _limit(limit: Limit) -> list[Resource]:
    parts: list[Resource] = [
        {"url": "id", "valueString": limit.id},
        {"url": "version", "valueString": limit.version},
        {"url": "value", "valueString": _text(limit.value)},
        {"url": "source", "valueString": limit.source},
        {"url": "confidence", "valueCode": limit.confidence},
        {"url": "confirmed", "valueBoolean": limit.confirmed},
    ]
    return [*parts, {"url": "unit", "valueString": limit.unit}] if limit.unit else parts


def _translation(text: str) -> Resource:
    return {
        "url": TRANSLATION,
        "extension": [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)

"""An assessment in FHIR: a part per pack with its DetectedIssues, and one per rule that packs answer differently."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Finding

from slipring_consent.screening.assessing import Assessment, Disagreement
from slipring_consent.screening.packs import Policy

SILENT = "none"  # the weight of a pack that finds nothing by a rule
_UNCONFIRMED = ("未经确认的默认值", "unconfirmed default")
_EMPTY: tuple[Any, ...] = (None, "", ())


def as_assessment(one: Assessment, *, patient: str, about: str, now: datetime) -> Resource:
    """What one pack says, as a part of the answer."""
    issues = [
        _as_issue(finding, one.policy, position, patient=patient, about=about, now=now)
        for position, finding in enumerate(one.findings, 1)
    ]
    parts: list[Resource] = [
        {"name": "policy", "valueCode": one.policy.id},
        {"name": "title", "valueString": f"{one.policy.zh} / {one.policy.en}"},
        {"name": "clearance", "valueCode": one.clearance},
        {"name": "confirmed", "valueBoolean": one.confirmed},
        *({"name": "issue", "resource": issue} for issue in issues),
    ]
    return {"name": "assessment", "part": parts}


def as_disagreement(one: Disagreement) -> Resource:
    """Who says what by one rule, and where it is written."""
    positions = [_position(policy, finding, one.rule) for policy, finding in one.positions]
    return {"name": "disagreement", "part": [{"name": "rule", "valueCode": one.rule}, *positions]}


def _position(policy: Policy, finding: Finding | None, rule: str) -> Resource:
    says = f"{finding.zh} / {finding.en}" if finding else "无需处理。 / Nothing to be done."
    parts: list[Resource] = [
        {"name": "policy", "valueCode": policy.id},
        {"name": "weight", "valueCode": str(finding.weight) if finding else SILENT},
        {"name": "says", "valueString": says},
    ]
    source = policy.limit(rule).source
    if source:
        parts.append({"name": "source", "valueString": source})
    return {"name": "position", "part": parts}


def _as_issue(finding: Finding, policy: Policy, position: int, *, patient: str, about: str, now: datetime) -> Resource:
    issue = as_detected_issue(finding, id=f"{policy.id}-{position}", subject=patient, about=about, now=now)
    if not about:
        del issue["implicated"]
    seen = {name: value for name, value in finding.inputs.items() if value not in _EMPTY}
    if seen:
        issue["evidence"] = [{"code": [{"text": f"{name}: {value}"}]} for name, value in seen.items()]
    issue["code"]["coding"].append({"system": f"{CANONICAL}/CodeSystem/contrast-policy", "code": policy.id})
    issue["text"] = {"status": "generated", "div": _table(finding, policy)}
    return issue


def _table(finding: Finding, policy: Policy) -> str:
    """What a person reads: the words in both languages, by which pack and source, and whether it waits to be confirmed."""
    rows = [("", finding.zh), ("", finding.en), (str(finding.weight), f"{policy.zh} / {policy.en}")]
    if finding.limit:
        rows.append(("依据 / source", f"{finding.limit.source} ({finding.limit.confidence})"))
        if not finding.limit.confirmed:
            rows.append(_UNCONFIRMED)
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><table>{cells}</table></div>'

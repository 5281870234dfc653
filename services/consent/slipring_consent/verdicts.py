"""Findings out: as issues of a refusal, and as DetectedIssues that stay on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import Issue
from slipring.fhir.service import Desk, Resource, Save
from slipring.rules.finding import Finding, Weight
from slipring.rules.rulebook import Rule, check

from slipring_consent.department import limits_of

_AGAINST = frozenset({Weight.STOP, Weight.ASK})


def checked(facts: Any, rules: Sequence[Rule[Any]], desk: Desk) -> list[Finding]:
    """What the rules find now, under the limits in force today."""
    return check(facts, rules, limits_of(desk), desk.now)


def as_issues(findings: Iterable[Finding]) -> list[Issue]:
    """Every reason as one issue with its rule and the element it points at."""
    return [
        Issue(
            "business-rule",
            zh=f"{finding.zh}（{finding.clause}）",
            en=f"{finding.en} ({finding.clause})",
            at=finding.at,
            severity="error" if finding.weight in _AGAINST else "warning",
            detail=finding.rule,
        )
        for finding in findings
    ]


def on_record(
    findings: Iterable[Finding], desk: Desk, *, patient: str, about: str, mitigation: Resource | None = None
) -> list[Save]:
    """The findings as DetectedIssues; with `mitigation` they were overridden by a named person."""
    saves = []
    for finding in findings:
        issue = as_detected_issue(finding, id=desk.new_id(), subject=patient, about=about, now=desk.now)
        if mitigation is not None:
            issue["mitigation"] = [mitigation]
        saves.append(Save(issue))
    return saves

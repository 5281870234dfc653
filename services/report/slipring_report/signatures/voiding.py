"""Signatures end when the content they cover changes; the report says so and is a draft again."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import Changes, Desk, Save, Stored, successor
from slipring.rules.finding import Finding, Weight

from slipring_report.lifecycle import after_change
from slipring_report.signatures.facts import Signature
from slipring_report.signatures.resources import as_voided

SIGNATURES_STAND = Finding(
    rule="report.signatures-stand",
    version="1",
    clause="CL02-A011:5.7.1",
    weight=Weight.WARN,
    zh="签名后的内容已更改，原签名失效，报告退回草稿，须重新签名。",
    en="Signed content was changed: the signatures are void, the report is a draft again and must be signed anew.",
    at="DiagnosticReport.status",
)


def signatures_voided(report: str, subject: str, standing: Sequence[Signature], desk: Desk) -> Changes:
    """Mark the signatures as void, for good, and put it on record."""
    marked = [successor(each.provenance, extension=as_voided(each.provenance.resource, desk.now)) for each in standing]
    issue = as_detected_issue(SIGNATURES_STAND, id=desk.new_id(), subject=subject, about=report, now=desk.now)
    return Changes(save=[*marked, Save(issue)])


def back_to_draft(report: Stored) -> Save:
    """The report without status, issue time and rendering of its release."""
    return successor(report, status=after_change(report.resource["status"]), issued=None, presentedForm=None)

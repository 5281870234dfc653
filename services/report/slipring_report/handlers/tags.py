"""The tags of a report that mean something to the service: nobody releases a draft, or shortens a chain, by a tag."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Resource, Write

from slipring_report.lifecycle import DRAFT
from slipring_report.signatures.chain import review_flags
from slipring_report.visibility import EMERGENCY
from slipring_report.vocabulary import REPORT_TAG

IMPORTED = "imported"


def demand_tags_kept(write: Write, *, standing: bool) -> None:
    """422 when a client tags a release of his own, or takes the third level from a case that was signed with it."""
    before = write.before.resource if write.before else {}
    if _emergency(write.resource) != _emergency(before):
        raise unprocessable(
            "A report is released in an emergency by $sign with emergency, not by a tag.",
            "急诊单签发布须通过 $sign 的 emergency 参数，不能通过标签。",
            at="DiagnosticReport.meta.tag",
            detail="report.emergency-by-signature",
        )
    if standing and review_flags(before) - review_flags(write.resource):
        raise unprocessable(
            "A case that was flagged for a third level of review stays so once it is signed.",
            "已标记为三级审核的病例，签名后不能取消标记。",
            at="DiagnosticReport.meta.tag",
            detail="report.review-flag-stays",
        )


def tagged_as_imported(write: Write) -> Changes:
    """A report that was finished elsewhere says so: it is shown as a prior and never counts as ours."""
    meta = write.resource.get("meta", {})
    tags = meta.get("tag", [])
    if write.resource.get("status") in DRAFT or any(_is_imported(tag) for tag in tags):
        return Changes.none()
    return Changes(members={"meta": {**meta, "tag": [*tags, {"system": REPORT_TAG, "code": IMPORTED}]}})


def _is_imported(tag: Resource) -> bool:
    return tag.get("system") == REPORT_TAG and tag.get("code") == IMPORTED


def _emergency(report: Resource) -> bool:
    return any(tag.get("code") == EMERGENCY for tag in report.get("meta", {}).get("tag", []))

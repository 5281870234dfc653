"""A report or one of its parts was written by a client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipring.fhir.copies import seconds_behind
from slipring.fhir.outcome import busy, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Require, Stored, Write
from slipring.printing.pdf import foreseen
from slipring.rules.lifecycle import IllegalMove, moves
from slipring.signing.form import tokens_sha256

from slipring_report.amending.keeping import demand_report_kept, demand_text_kept
from slipring_report.handlers.tags import demand_tags_kept, tagged_as_imported
from slipring_report.lifecycle import DRAFT, SIGNED, TABLE, after_change, after_edit
from slipring_report.reading import composition_of, extension, reference_of, request_of, results_of, subject_of
from slipring_report.signatures.facts import Signature
from slipring_report.signatures.gathering import gathered, signatures_of
from slipring_report.signatures.voiding import back_to_draft, signatures_voided
from slipring_report.visibility import believed
from slipring_report.vocabulary import AMENDMENT

_OWNED = ("presentedForm", "issued")
_KEPT_UP = timedelta(seconds=5)  # copies are dated every two seconds; older ones are behind


async def report_written(write: Write, desk: Desk) -> Changes:
    """A draft is kept; a signed report keeps its status, unless its content changed.

    Status, issue time and rendering belong to the service: status moves by signatures. Reports made elsewhere or
    before come in under the import scope and keep what they say.
    """
    before = write.before
    signed = await signatures_of(write.reference, desk) if before else []
    if write.method == "delete":
        return Changes.none()
    if write.imported and not signed:
        return tagged_as_imported(write)
    request = await _request(write, desk)
    relied = Changes(require=[Require(request.reference, request.version)])
    status = write.resource.get("status", "")
    _amendment_kept(write)
    await demand_report_kept(write.resource, desk)
    demand_tags_kept(write, standing=any(each.stands for each in signed))
    if before is None or before.resource["status"] in DRAFT:
        _owned_absent(write)
        _draft_status(before.resource["status"] if before else "registered", status)
        if desk.settings.pdf:
            foreseen()  # what is drafted is going to be released
        return relied
    if before.resource["status"] not in SIGNED:
        raise conflict(
            f"This report is {before.resource['status']}; it is not changed any more.",
            f"报告状态为 {before.resource['status']}，不能再更改。",
            at="DiagnosticReport.status",
            detail="report.no-longer-changed",
        )
    return relied.plus(await _signed_report_written(write, before, signed, desk))


async def _signed_report_written(write: Write, before: Stored, signed: Sequence[Signature], desk: Desk) -> Changes:
    was = before.resource
    for name in _OWNED:
        if name in write.resource and write.resource[name] != was.get(name):
            raise _server_owned(name)
    standing = [each for each in signed if each.stands]
    if not standing:
        raise _made_elsewhere()
    form = (await gathered(Stored(write.resource, before.version + 1, desk.now), desk)).form()
    changed = form.sha256 != standing[0].form_sha256
    if changed and believed(was):
        raise by_amendment("DiagnosticReport")
    if write.resource["status"] not in ({was["status"], *DRAFT} if changed else {was["status"]}):
        raise _by_signatures()
    if not changed:
        return Changes(members={name: was[name] for name in _OWNED if name in was})
    members = {"status": after_change(was["status"]), **dict.fromkeys(_OWNED)}
    return Changes(members=members).plus(signatures_voided(write.reference, subject_of(was), standing, desk))


async def composition_written(write: Write, desk: Desk) -> Changes:
    """The text of a signed report was changed: its signatures no longer stand."""
    if write.before is None or not _content_changed(write):
        return Changes.none()
    if write.method != "delete":
        await demand_text_kept(write.resource, desk)
    subject = subject_of(write.before.resource)
    found = await desk.search(f"DiagnosticReport?subject{f'={subject}' if subject else ':missing=true'}")
    reports = [each for each in found if composition_of(each.resource) == write.reference]
    return await _part_changed(write, reports, desk)


async def observation_written(write: Write, desk: Desk) -> Changes:
    """A result of a signed report was changed: its signatures no longer stand."""
    if write.before is None or not _content_changed(write):
        return Changes.none()
    found = await desk.search(f"DiagnosticReport?result={write.reference}")
    reports = [each for each in found if write.reference in results_of(each.resource)]
    return await _part_changed(write, reports, desk)


async def _part_changed(write: Write, reports: Sequence[Stored], desk: Desk) -> Changes:
    part = write.resource["resourceType"]
    if any(each.superseded for each in await signatures_of(write.reference, desk)):
        raise by_amendment(part)  # an earlier version of a report goes on saying what was signed
    # Requiring the drafts' versions too: a signature given at this moment must not slip past the change.
    changes = Changes(require=[Require(report.reference, report.version) for report in reports])
    for report in reports:
        if report.resource["status"] not in SIGNED:
            continue
        standing = [each for each in await signatures_of(report.reference, desk) if each.stands]
        if not standing:
            continue  # imported: it never counted as ours
        if believed(report.resource):
            raise by_amendment(part)
        draft = back_to_draft(report)
        changes = changes.plus(Changes(save=[draft])).plus(
            signatures_voided(report.reference, subject_of(report.resource), standing, desk)
        )
    return changes


def _content_changed(write: Write) -> bool:
    before = write.before.resource if write.before else {}
    return write.method == "delete" or tokens_sha256(write.resource) != tokens_sha256(before)


async def _request(write: Write, desk: Desk) -> Stored:
    named = request_of(write.resource)
    if not named:
        raise unprocessable(
            "A report says which request it answers.",
            "报告须注明所依据的申请单。",
            at="DiagnosticReport.basedOn",
            code="required",
            detail="report.request-missing",
        )
    request = await desk.read(named)
    if request is None:
        await _not_behind(desk)
        raise unprocessable(
            f"{named} is not known here (yet).",
            f"此处（尚）没有 {named}。",
            at="DiagnosticReport.basedOn",
            code="not-found",
            detail="report.not-known-yet",
        )
    if reference_of(request.resource.get("subject")) != reference_of(write.resource.get("subject")):
        raise unprocessable(
            "The report is about another patient than its request.",
            "报告的患者与申请单的患者不同。",
            at="DiagnosticReport.subject",
            detail="report.another-patient",
        )
    return request


async def _not_behind(desk: Desk) -> None:
    """While this service still takes in what order has told, a request that is missing may be on its way."""
    behind = await seconds_behind("order", _KEPT_UP, desk)
    if not behind:
        return
    raise busy(
        f"order is {behind} s behind here, and the request has not arrived yet; please try again.",
        f"此处 order 的数据滞后 {behind} 秒，申请单尚未到达，请稍后重试。",
        detail="report.order-behind",
    )


def _amendment_kept(write: Write) -> None:
    """What a draft amends, and why, was said to `$amend`: it is signed as it was said."""
    before = write.before.resource if write.before else {}
    if extension(write.resource, AMENDMENT) != extension(before, AMENDMENT):
        raise unprocessable(
            "What a version amends is said to $amend and not changed afterwards.",
            "修改说明由 $amend 记录，之后不能更改。",
            at="DiagnosticReport.extension",
            detail="report.amendment-by-operation",
        )


def _owned_absent(write: Write) -> None:
    for name in _OWNED:
        if name in write.resource:
            raise _server_owned(name)


def _draft_status(before: str, status: str) -> None:
    if status not in {*DRAFT, "cancelled"}:
        raise _by_signatures()
    try:
        after_edit(before, status)
    except IllegalMove as illegal:
        legal = ", ".join(line.next for line in moves(TABLE, illegal.state) if line.by == "author")
        raise conflict(
            f"A report that is {before} cannot become {status}; it can become: {legal}.",
            f"状态为 {before} 的报告不能改为 {status}；可以改为：{legal}。",
            at="DiagnosticReport.status",
            detail="report.illegal-move",
        ) from illegal


def _by_signatures() -> Exception:
    return unprocessable(
        "The status moves by signatures: write a report as registered or partial and sign it with $sign.",
        "报告状态由签名推进：请以 registered 或 partial 提交，并用 $sign 签名。",
        at="DiagnosticReport.status",
        detail="report.status-by-signatures",
    )


def by_amendment(part: str) -> Exception:
    """409: a released report is changed by its next version."""
    return conflict(
        "This belongs to a released report, which others go on reading: begin its next version with $amend.",
        "此内容属于已发布的报告，他人仍在使用：请用 $amend 建立下一版本。",
        at=part,
        detail="report.released-amend",
    )


def _made_elsewhere() -> Exception:
    return conflict(
        "This report was made elsewhere: it is kept as it came and is not changed here.",
        "该报告由他处生成：按原样保存，不在此更改。",
        at="DiagnosticReport.status",
        detail="report.made-elsewhere",
    )


def _server_owned(name: str) -> Exception:
    return unprocessable(
        f"{name} is made by this service when the report is released; leave it out.",
        f"{name} 由本系统在报告发布时生成，请勿填写。",
        at=f"DiagnosticReport.{name}",
        detail="report.made-at-release",
    )

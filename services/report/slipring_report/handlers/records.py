"""Records that only the service makes: nobody writes a signature or a hand-over by hand."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Write
from slipring.quality import life
from slipring.quality.moving import demand_another, step_of, verifier_of
from slipring.signing.form import SIGNED_FORM

from slipring_report.reading import code_of, extension, reference_of
from slipring_report.signatures.gathering import roles_of
from slipring_report.vocabulary import TASK_CODE


async def provenance_written(write: Write, desk: Desk) -> Changes:
    """Signatures on our reports are made by `$sign` only: nobody writes, alters or removes one by hand."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    ours = any(
        reference_of(target).startswith("DiagnosticReport/r-")
        for tree in trees
        for target in tree.get("target", [])
        if "signature" in tree or extension(tree, SIGNED_FORM)
    )
    if ours:
        raise unprocessable(
            "A report's signature is recorded by DiagnosticReport/$sign only.",
            "报告签名只能由 DiagnosticReport/$sign 记录。",
            at="Provenance.signature",
            detail="report.signature-by-operation",
        )
    return Changes.none()


async def task_written(write: Write, desk: Desk) -> Changes:
    """A hand-over closes when critical's case comes back, a second read with the second signature: not by hand."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if not write.imported and any(code_of(tree.get("code"), TASK_CODE) == "hand-over" for tree in trees):
        raise unprocessable(
            "A hand-over is opened by $flag-critical and closed by the critical service taking it over.",
            "移交任务由 $flag-critical 建立，只能由危急值服务接收后关闭。",
            at="Task.code",
            detail="report.hand-over-by-operation",
        )
    if not write.imported and any(code_of(tree.get("code"), TASK_CODE) == "second-read" for tree in trees):
        raise unprocessable(
            "A second read is opened by a release in an emergency and ends with the second signature; grade it with $second-read.",
            "复核阅片任务由急诊单签发布建立，第二签名后结束；请用 $second-read 分级。",
            at="Task.code",
            detail="report.second-read-by-operation",
        )
    if life.kind_of(write.resource) and not write.imported and write.method != "delete":
        return await _quality_written(write, desk)
    return Changes.none()


async def _quality_written(write: Write, desk: Desk) -> Changes:
    """A nonconformity moves along the table of the house: cause, action and effect before it is closed."""
    before, zone = write.before.resource if write.before is not None else None, desk.settings.time_zone
    step = step_of(before, write.resource, now=desk.now, zone=ZoneInfo(zone))
    if step.verified:
        verifier = desk.caller.practitioner or reference_of(verifier_of(write.resource))
        person, owner = [await desk.read(one) for one in (verifier, reference_of(write.resource.get("owner")))]
        roles = [each.resource for each in await roles_of(verifier, desk)] if person else []
        demand_another(
            person.resource if person else None, roles, owner.resource if owner else None, now=desk.now, zone=zone
        )
    return Changes(members=step.members)

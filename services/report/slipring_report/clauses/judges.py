"""What the reports and their signatures prove: two signers in order, entitled, with all that was asked answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipring.fhir.service import Evidence, Resource
from slipring.verdicts.looking import Judged, Look, broken

from slipring_report.clocks.watching import figure_of
from slipring_report.reading import reference_of
from slipring_report.signatures.chain import chain_of
from slipring_report.signatures.facts import Signature, signatures
from slipring_report.visibility import believed
from slipring_report.vocabulary import QUALIFICATION, REPORT_TAG, TEXT_CHECK, TEXT_PLACE
from slipring_report.worklist.life import clock_of

_SIGNED = "application/jose"
_LEAST = 2  # CL02-A011:5.7.1
_CERTIFICATE = "radiation-worker-certificate"


async def two_signers(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A report that was released bears the standing signatures of two different people, the author's first (5.7.1)."""
    reports, signed = await _signed(look, counted)
    faults = []
    async for one in look.spread(reports):
        standing = signed.get(one.stored.reference, [])
        licences = {number for each in standing for number in each.licences}
        people = len({each.who for each in standing})
        if people < _LEAST or (licences and len(licences) < _LEAST):
            faults.append(broken(one, f"有效签名者 {people} 人", f"signed by {people} people whose signatures stand"))
        elif standing[0].role != "author":
            faults.append(broken(one, "首签不是报告者", "the first signature is not the author's"))
    return Judged(faults, len(reports))


async def levels(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A report bears as many signatures as its chain has levels; three for a difficult case (5.6.1)."""
    reports, signed = await _signed(look, counted)
    faults = []
    async for one in look.spread(reports):
        wanted = chain_of(one.stored.resource, look.desk.settings).length
        has = len({each.who for each in signed.get(one.stored.reference, [])})
        if has < wanted:
            faults.append(broken(one, f"签名 {has}/{wanted} 级", f"{has} of {wanted} levels"))
    return Judged(faults, len(reports))


async def entitled(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A signature keeps the signer's qualification: a level, and a certificate that was in force when he signed (5.1.2)."""
    made = [one async for one in look.spread(counted) if _is_signature(one.stored.resource)]
    faults = []
    async for one in look.spread(made):
        kept: Resource = next(
            (e for e in one.stored.resource.get("extension", []) if e.get("url") == QUALIFICATION), {}
        )
        parts = kept.get("extension", [])
        day = str(one.stored.resource.get("recorded", ""))[:10]
        if not any(part.get("url") == "level" for part in parts):
            faults.append(broken(one, "未留存签名者的诊断权限级别", "the signer's level is not kept"))
        elif not any(_certified(part, day) for part in parts):
            faults.append(
                broken(one, "签名时放射工作人员证无效", "no radiation worker certificate in force at the signature")
            )
    return Judged(faults, len(made))


async def wording(look: Look, counted: Sequence[Evidence]) -> Judged:
    """No question that the checks of a released report's text asked is left unanswered (5.8.3)."""
    about = {one.stored.reference: one async for one in look.spread(counted) if believed(one.stored.resource)}
    open_on: dict[str, int] = {}
    async for one in look.spread(await look.each("DetectedIssue?implicated", about)):
        issue = one.stored.resource
        if _asks(issue) and not issue.get("mitigation"):
            for place in issue.get("implicated", []):
                name = reference_of(place)
                open_on[name] = open_on.get(name, 0) + 1
    faults = [
        broken(about[name], f"{count} 项提示未处理", f"{count} questions are not answered")
        for name, count in sorted(open_on.items())
        if name in about
    ]
    return Judged(faults, len(about))


async def in_time(look: Look, counted: Sequence[Evidence]) -> Judged:
    """No report came later than its clock allows; each clock is a figure of its own (5.8.1)."""
    late = [one async for one in look.spread(counted) if clock_of(one.stored.resource) == "breached"]
    figures = [figure_of(one.stored.resource).id for one in late]
    return Judged(
        [broken(one, "报告逾期", "the report is late", figure=name) for one, name in zip(late, figures, strict=True)]
    )


async def answered(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each question of a consultation has its answer (4.7 b)."""
    asked = [one async for one in look.spread(counted) if not one.stored.resource.get("inResponseTo")]
    waiting = [one for one in asked if one.stored.resource.get("status") == "in-progress"]
    return Judged([broken(one, "尚未答复", "not answered yet") for one in waiting], len(asked))


async def _signed(look: Look, counted: Sequence[Evidence]) -> tuple[list[Evidence], Mapping[str, list[Signature]]]:
    """The reports that were released here, with what stands on each."""
    reports = await released_here(look, counted)
    found: dict[str, list[Any]] = {}
    targeting = await look.each("Provenance?target", (report.stored.reference for report in reports))
    async for one in look.spread(targeting):
        for target in one.stored.resource.get("target", []):
            found.setdefault(reference_of(target), []).append(one.stored)
    standing = {
        name: [each for each in signatures(made) if not each.voided]
        async for name, made in look.spread(list(found.items()))
    }
    return reports, standing


async def released_here(look: Look, counted: Sequence[Evidence]) -> list[Evidence]:
    """The reports that stand and were released here; history that was loaded has its papers elsewhere."""
    return [
        one
        async for one in look.spread(counted)
        if believed(one.stored.resource) and not _imported(one.stored.resource)
    ]


def _imported(report: Resource) -> bool:
    tags = report.get("meta", {}).get("tag", [])
    return any((tag.get("system"), tag.get("code")) == (REPORT_TAG, "imported") for tag in tags)


def _is_signature(provenance: Resource) -> bool:
    return any(one.get("sigFormat") == _SIGNED for one in provenance.get("signature", []))


def _certified(part: Resource, day: str) -> bool:
    if part.get("url") != "qualification":
        return False
    held = {one["url"]: one for one in part.get("extension", [])}
    codings = held.get("code", {}).get("valueCodeableConcept", {}).get("coding", [])
    period = held.get("period", {}).get("valuePeriod", {})
    fits = period.get("start", day)[:10] <= day <= period.get("end", day)[:10]
    return fits and any(coding.get("code") == _CERTIFICATE for coding in codings)


def _asks(issue: Resource) -> bool:
    """Whether it is a question of the text checks that a signature waits for."""
    keyed = any(one.get("system") == TEXT_CHECK for one in issue.get("identifier", []))
    placed = any(one.get("url") == TEXT_PLACE for one in issue.get("extension", []))
    return keyed and placed and issue.get("severity") == "moderate" and issue.get("status") != "entered-in-error"

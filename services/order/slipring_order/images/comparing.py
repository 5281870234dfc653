"""Images held against their order; each difference becomes a finding once, and stays until a person resolves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipring.fhir.findings import RULE_RESULT, as_detected_issue, rule_of
from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.finding import Finding
from slipring.rules.rulebook import Rule, check

from slipring_order import resources
from slipring_order.images.facts import ImageFacts, ImageHeader
from slipring_order.images.reading import identity_of, order_side, together
from slipring_order.reading import reference_of
from slipring_order.rules import IMAGE_RULES


async def compared(
    image: ImageHeader,
    request: Stored | None,
    about: str,
    desk: Desk,
    *,
    other_patient: bool = False,
    rules: Sequence[Rule[Any]] = IMAGE_RULES,
) -> list[Save]:
    """One DetectedIssue per difference that is not on record yet, on the exam and on `about`."""
    facts = await _facts(image, request, about, desk, other_patient=other_patient)
    findings = check(facts, rules, desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date()), desk.now)
    return await new_issues(findings, request, about, desk)


async def new_issues(findings: Sequence[Finding], request: Stored | None, about: str, desk: Desk) -> list[Save]:
    """The findings that are not on record yet as DetectedIssues on the exam and on `about`."""
    if not findings:
        return []
    exam = request.reference if request else about
    known = {said_by(found.resource) for found in await desk.search(f"DetectedIssue?implicated={exam}")}
    subject = reference_of(request.resource.get("subject")) if request else ""
    saves = []
    for finding in findings:
        issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=exam, now=desk.now)
        if about != exam:
            issue["implicated"].append({"reference": about})
        if said_by(issue) not in known:
            saves.append(Save(issue))
    return saves


async def _facts(
    image: ImageHeader, request: Stored | None, about: str, desk: Desk, *, other_patient: bool
) -> ImageFacts:
    at = about.partition("/")[0]
    if request is None:
        return ImageFacts(image, exam_known=False, at=at)
    regions, sides = order_side(request.resource)
    return ImageFacts(
        image,
        accession=resources.number_of(request.resource),
        identity=together(identity_of(each) for each in await _records(request.resource, desk)),
        regions=regions,
        sides=sides,
        other_patient=other_patient,
        at=at,
    )


async def _records(request: Resource, desk: Desk) -> list[Resource]:
    """The patient's record, with those that the HIS has merged with it: images may carry the number of either."""
    subject = reference_of(request.get("subject"))
    names = await merge_set(subject, desk) if subject.startswith("Patient/") else frozenset()
    held = [await desk.read(name) for name in sorted(names, key=lambda name: name != subject)]
    return [each.resource for each in held if each is not None]


def said_by(issue: Resource) -> tuple[str, str]:
    """Which rule found what: the same difference in the next image is no second finding."""
    for extension in issue.get("extension", []):
        if extension.get("url") == RULE_RESULT:
            parts = {part.get("url"): part for part in extension.get("extension", [])}
            return rule_of(issue), str(parts.get("inputs", {}).get("valueString", ""))
    return rule_of(issue), ""

"""What stands open in the words of a report that is about to be signed: told, answered, or in the way (5.8.3, 5.9.1)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Resource, Save

from slipring_report.checks.gathering import Examined, examined
from slipring_report.checks.issues import TextIssue, as_issue
from slipring_report.checks.texts import sections_of
from slipring_report.reading import subject_of
from slipring_report.signatures.gathering import Gathered


async def told_of_text(parts: Gathered, desk: Desk) -> list[Resource]:
    """What is open and what was answered: for whoever is about to sign."""
    found = await _examined(parts, desk)
    return [*as_issues(found.told, parts.report.resource, desk), *found.answered]


async def unanswered(parts: Gathered, desk: Desk) -> Changes | None:
    """The refusal of a signature over words that nobody has stood for; None when all is answered.

    What was found stays on record, each once, however often the signature is tried.
    """
    found = await _examined(parts, desk)
    if not found.open:
        return None
    findings = [one.finding() for one in found.open]
    issues = [Issue("business-rule", zh=each.zh, en=each.en, at=each.at, detail=each.rule) for each in findings]
    made = as_issues(found.open, parts.report.resource, desk)
    new = [Save(issue) for issue, one in zip(made, found.open, strict=True) if one.key not in found.recorded]
    return Changes(save=new, refuse=FhirError(422, issues))


def as_issues(found: Sequence[TextIssue], report: Resource, desk: Desk) -> list[Resource]:
    """As DetectedIssues."""
    about = f"DiagnosticReport/{report['id']}" if report.get("id") else ""
    made = [as_issue(one, about, subject_of(report), desk.now, id=desk.new_id()) for one in found]
    return made if about else [{name: value for name, value in one.items() if name != "implicated"} for one in made]


async def _examined(parts: Gathered, desk: Desk) -> Examined:
    composition = parts.composition.resource if parts.composition else None
    report = parts.report.resource
    return await examined(sections_of(report, composition), report, desk, structured=composition is not None)

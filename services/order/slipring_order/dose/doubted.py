"""What of a dose report is in doubt: a finding on its exam and its Observation, and a note on the Observation itself."""

from __future__ import annotations

from slipring.fhir.findings import TRANSLATION, rule_of
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.rulebook import check

from slipring_order.dose.report import DoseReport
from slipring_order.images.comparing import new_issues, said_by
from slipring_order.reading import reference_of
from slipring_order.rules import DOSE_IN_DOUBT, DOSE_REPORT_RULES


async def doubted(report: DoseReport, exam: Stored | None, about: str, desk: Desk) -> tuple[list[Save], list[Resource]]:
    """The finding on this report where it contradicts itself, and the notes for the Observation `about`.

    The notes tell of every report that the Observation was made of. A finding made when the exam was not known yet is
    put on the exam, not made anew.
    """
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    found = check(report, DOSE_REPORT_RULES, limits, desk.now)
    made = await new_issues(found, exam, about, desk)
    earlier = [
        one for one in await desk.search(f"DetectedIssue?implicated={about}") if rule_of(one.resource) == DOSE_IN_DOUBT
    ]
    known = {said_by(one.resource) for one in earlier}
    saves = [one for one in made if said_by(one.resource) not in known]
    if exam is not None:
        saves += [_put_on(exam, one) for one in earlier if exam.reference not in _implicated(one.resource)]
    told = dict.fromkeys(_words(issue) for issue in [one.resource for one in earlier] + [one.resource for one in saves])
    return saves, [{"text": text} for text in told]


def _put_on(exam: Stored, issue: Stored) -> Save:
    subject = exam.resource.get("subject")
    implicated = [{"reference": exam.reference}, *issue.resource.get("implicated", [])]
    known = {**issue.resource, "implicated": implicated} | ({"patient": subject} if subject else {})
    return Save(known, replaces=issue.version)


def _implicated(issue: Resource) -> set[str]:
    return {reference_of(one) for one in issue.get("implicated", [])}


def _words(issue: Resource) -> str:
    english = [
        str(part.get("valueString", ""))
        for one in issue.get("_detail", {}).get("extension", [])
        if one.get("url") == TRANSLATION
        for part in one.get("extension", [])
        if part.get("url") == "content"
    ]
    return " ".join([str(issue.get("detail", "")), *english])

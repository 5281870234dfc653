"""What the checks of a text read from the desk: request, patient, earlier reports, flags and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from slipring.fhir.service import Desk, Resource
from slipring.qc.report import OwnWords, checked
from slipring.quality.critical_catalogue import IN_FORCE, catalogue, in_force, own_words

from slipring_report.amending.amendment import as_it_will_stand
from slipring_report.checks.exam import part_of
from slipring_report.checks.issues import TextIssue, issues_of, keys_answered, keys_of
from slipring_report.checks.texts import text_of
from slipring_report.reading import code_of, reference_of, request_of
from slipring_report.vocabulary import CRITICAL_FINDING

_TOLD = frozenset({"final", "amended", "corrected", "appended"})


@dataclass(frozen=True, slots=True)
class Examined:
    """A text with what was found in it; `answered` are those that a named person has stood for."""

    sections: dict[str, str]
    told: Sequence[TextIssue]  # open questions and advice
    answered: Sequence[Resource] = ()
    recorded: frozenset[str] = frozenset()  # keys that are on record already, answered or not

    @property
    def open(self) -> list[TextIssue]:
        """What a signature waits for."""
        return [one for one in self.told if one.asks]


async def examined(
    sections: dict[str, str], report: Resource, desk: Desk, *, removed: Sequence[str] = (), structured: bool = True
) -> Examined:
    """Check the words; a report without sections is not asked for them."""
    request = await _read(request_of(report), desk) or report
    patient = await _read(reference_of(report.get("subject")), desk)
    priors = await _priors(report, request, desk)
    editions = await desk.search(IN_FORCE)
    own = tuple(OwnWords(code, said) for code, said in own_words(in_force(editions, desk.now)).items())
    text = text_of(sections, request, patient, priors, removed, year=desk.now.year, own=own)
    names = _names(report)
    flagged = await _flags(report, desk)
    found = issues_of(checked(text), sections, flagged, catalogue(editions, desk.now))
    if not structured:
        found = [one for one in found if not one.check.startswith("missing-")]
    kept = [one.resource for name in names for one in await desk.search(f"DetectedIssue?implicated={name}")]
    answered = keys_answered(kept)
    standing = [one for one in kept if keys_answered([one]) & {each.key for each in found}]
    recorded = frozenset(key for one in kept for key in keys_of(one))
    return Examined(sections, [one for one in found if one.key not in answered], standing, recorded)


async def _read(reference: str, desk: Desk) -> Resource:
    held = await desk.read(reference) if reference else None
    return held.resource if held else {}


async def _priors(report: Resource, request: Resource, desk: Desk) -> int:
    """How many released reports of the same part of the body there were, from other requests, before this exam.

    Only what is older than the exam is looked at: so the answer stands while other reports of the patient are signed.
    """
    patient, part = reference_of(report.get("subject")), part_of(request)
    if not patient:
        return 0
    before = quote(_begun(report, request, desk), safe="")
    asked = [f"DiagnosticReport?subject={patient}&{moment}=lt{before}" for moment in ("issued", "date")]
    others = {one.reference: one.resource for found in await desk.searches(asked) for one in found}
    return sum(
        other.get("status") in _TOLD
        and other["id"] != report.get("id")
        and request_of(other) != request_of(report)
        and part_of(other) == part
        for other in others.values()
    )


def _begun(report: Resource, request: Resource, desk: Desk) -> str:
    """When the exam began, as the report or else its request says."""
    period = report.get("effectivePeriod") or request.get("occurrencePeriod") or {}
    said = (report.get("effectiveDateTime"), request.get("occurrenceDateTime"), period.get("start"))
    return next((str(one) for one in said if one), str(request.get("authoredOn") or desk.now.isoformat()))


async def _flags(report: Resource, desk: Desk) -> list[str]:
    """The codes of the critical findings that are flagged on a report."""
    found = [one for name in _names(report) for one in await desk.search(f"Observation?focus={name}")]
    return [code for one in found if (code := code_of(one.resource.get("code"), CRITICAL_FINDING))]


def _names(report: Resource) -> list[str]:
    """The report, and the one that this draft amends: what was flagged or answered there stands for the same words here."""
    if not report.get("id"):
        return []
    return sorted({f"DiagnosticReport/{one['id']}" for one in (report, as_it_will_stand(report))})

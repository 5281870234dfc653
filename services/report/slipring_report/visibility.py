"""Before release a report and all its parts are the department's (mechanisms 7): who is shown what, as pure statements."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.caller import DRAFT_READ, RECEIVES_CRITICAL
from slipring.fhir.service import Audience, Resource, Write

from slipring_report.amending.amendment import amends
from slipring_report.lifecycle import RELEASED
from slipring_report.reading import code_of, composition_of, reference_of, results_of
from slipring_report.vocabulary import CRITICAL_FINDING, MESSAGE_CATEGORY, TASK_CODE

DEPARTMENT: tuple[str, ...] = (DRAFT_READ,)
# What others see: the released states, and those that say that nothing is to be expected or believed any more.
SHOWN = frozenset({"final", "amended", "corrected", "appended", "cancelled", "entered-in-error"})
_OVER = frozenset({"cancelled", "entered-in-error"})
EMERGENCY = "emergency-single-signature"
_UNFINISHED = frozenset({"registered", "preliminary", "partial"})
# The references by which a part says what it belongs to; a report names its Composition and its results itself.
_BELONGS = {
    "Provenance": lambda tree: tree.get("target", []),
    "DetectedIssue": lambda tree: tree.get("implicated", []),
    "DocumentReference": lambda tree: tree.get("context", {}).get("related", []),
    "Observation": lambda tree: tree.get("focus", []),
}
_CARRIERS = ("DiagnosticReport/", "Composition/", "Observation/")
# Work that tells of what a report says, or will say.
_WORK = frozenset({"late-images", "discordance", "conference", "conference-case", "re-reading", "re-reading-draw"})
_MESSAGES = frozenset({"consultation", "discordance"})
PARTS = frozenset({"Composition", *_BELONGS})


def released(report: Resource) -> bool:
    """Whether others than the department see this report; the draft of a next version never is, not even cancelled."""
    if amends(report):
        return False
    return report.get("status") in SHOWN or in_emergency(report)


def in_emergency(report: Resource) -> bool:
    """Whether it was released under one signature and waits for its second reader."""
    tags = report.get("meta", {}).get("tag", [])
    return report.get("status") == "preliminary" and any(tag.get("code") == EMERGENCY for tag in tags)


def believed(report: Resource) -> bool:
    """Whether it is a released report that others act on: neither a draft, nor cancelled, nor withdrawn."""
    return not amends(report) and (report.get("status") in RELEASED or in_emergency(report))


def shows_parts(report: Resource) -> bool:
    """Whether others see its text, results and records: of one that is cancelled or withdrawn they see that it is so."""
    return released(report) and report.get("status") not in _OVER


def listed(report: Resource) -> list[str]:
    """The parts that a report names: its Composition and its results."""
    composition = composition_of(report)
    return [*([composition] if composition else []), *results_of(report)]


def belongs_to(part: Resource) -> list[str]:
    """The report, Composition or Observation that a part names."""
    kind = part["resourceType"]
    named = (reference_of(one) for one in _BELONGS[kind](part)) if kind in _BELONGS else ()
    return [one for one in dict.fromkeys(named) if one.startswith(_CARRIERS)]


def finished(part: Resource) -> bool:
    """Whether a part that came from elsewhere says of itself that it is done."""
    return part.get("status") not in _UNFINISHED


def is_flag(part: Resource) -> bool:
    """Whether it is the Observation of a critical finding."""
    return part["resourceType"] == "Observation" and bool(code_of(part.get("code"), CRITICAL_FINDING))


def before_release(part: Resource, receivers: Iterable[str] = ()) -> tuple[str, ...]:
    """Who is shown a part before release: a critical finding also those who may be told of one, and whom it was sent to."""
    if not is_flag(part):
        return DEPARTMENT
    return (*DEPARTMENT, RECEIVES_CRITICAL, *sorted(set(receivers)))


def withdrawn(write: Write) -> bool:
    """Whether this write takes a report back that should never have been."""
    before = write.before.resource.get("status") if write.before else None
    return write.resource.get("status") == "entered-in-error" and before != "entered-in-error"


def of_report(report: Resource) -> Audience:
    """For whom a report is."""
    return None if released(report) else DEPARTMENT


def of_work(resource: Resource) -> Audience:
    """For whom work on a report is that tells of its content, whether it is out or not: the department, and whom it was said to.

    None: it is no such work.
    """
    if resource["resourceType"] == "Task" and code_of(resource.get("code"), TASK_CODE) in _WORK:
        return DEPARTMENT
    if resource["resourceType"] != "Communication":
        return None
    if not any(code_of(one, MESSAGE_CATEGORY) in _MESSAGES for one in resource.get("category", [])):
        return None
    named = (reference_of(one) for one in (resource.get("sender"), *resource.get("recipient", [])))
    return (*DEPARTMENT, *sorted({one for one in named if one.startswith("Practitioner/")}))

"""For whom a report and its parts are after an act: asked by the kernel before it stores what the act wrote.

A part made here is the department's until a released report carries it; one that was imported is for everybody unless
a report says otherwise. Parts follow their report when it is released, or taken back, without a version of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from slipring.fhir.service import Audience, Desk, Resource, Stored, Write

from slipring_report.learning.answers import is_learning
from slipring_report.reading import code_of, composition_of, reference_of, results_of
from slipring_report.visibility import (
    DEPARTMENT,
    PARTS,
    before_release,
    belongs_to,
    finished,
    is_flag,
    listed,
    of_report,
    of_work,
    shows_parts,
    withdrawn,
)
from slipring_report.vocabulary import CRITICAL_FINDING, TASK_CODE


async def audiences(writes: Sequence[Write], desk: Desk) -> Mapping[str, Audience]:
    """By reference: what was written, and the parts of reports that were released or taken back."""
    found: dict[str, Audience] = {}
    reports = [write for write in writes if write.resource["resourceType"] == "DiagnosticReport"]
    found |= {write.reference: of_report(write.resource) for write in reports}
    parts = [write for write in writes if write.resource["resourceType"] in PARTS]
    # Those that are named by others before those that name them.
    for write in sorted(parts, key=lambda one: bool(belongs_to(one.resource))):
        found[write.reference] = await _of_part(write, found, desk)
    # What is new has no other report: looking for one would set all drafts of one patient against each other.
    fresh = {write.reference for write in parts if write.before is None}
    found |= {write.reference: DEPARTMENT for write in writes if is_learning(write.resource)}
    found |= {write.reference: of_work(write.resource) for write in writes if _ours(write) and of_work(write.resource)}
    for write in reports:
        await _carried(write, found, fresh, desk)
    for write in reports:
        if withdrawn(write):
            found |= {f"{one}/_history": DEPARTMENT for one in await _of_the_withdrawn(write, desk)}
    for write in writes:
        if flag := await _rung_for(write, desk):
            found.setdefault(flag.reference, await _of_flag(flag, desk))
    return found


def _ours(write: Write) -> bool:
    """Whether it is kept here; copies of what others keep are for whom their keeper says."""
    return write.reference.partition("/")[2].startswith("r-")


async def _of_part(write: Write, found: Mapping[str, Audience], desk: Desk) -> Audience:
    part, before = write.resource, write.before
    named = belongs_to(part)
    if part["resourceType"] in ("Composition", "Observation") and before is not None:
        carriers = await _carriers(write.reference, part, desk)
        if carriers:
            return None if any(map(shows_parts, carriers)) else await _first(part, desk)
    if part["resourceType"] in ("Composition", "Observation") and not named:
        if before is not None:
            return before.audience
        return None if write.imported and finished(part) else before_release(part)
    for one in named:
        if await _hidden(one, found, desk):
            return await _first(part, desk)
    return None


async def _carried(write: Write, found: dict[str, Audience], fresh: Collection[str], desk: Desk) -> None:
    """The parts of a written report: all of them when it was released or taken back, else those it names anew."""
    report, before = write.resource, write.before.resource if write.before else None
    shown = shows_parts(report)
    was = shows_parts(before) if before is not None else write.imported
    new = [one for one in listed(report) if before is None or one not in listed(before)]
    if shown:
        opened = new if was else [write.reference, *listed(report)]
        found.update(dict.fromkeys(new if was else listed(report)))
        found.update(dict.fromkeys(one.reference for one in await _attached(opened, desk)))
        return
    left = [one for one in (listed(before) if before else []) if one not in listed(report)]
    for reference in listed(report) if was else [*new, *left]:
        if reference not in fresh:
            found[reference] = await _unless_released(reference, desk)
    if was:
        for part in await _attached([write.reference, *listed(report)], desk):
            found[part.reference] = await _first(part.resource, desk)


async def _of_the_withdrawn(write: Write, desk: Desk) -> list[str]:
    """A report that should never have been, and what belongs to it alone: their earlier versions are closed, too."""
    parts = listed(write.resource) + (listed(write.before.resource) if write.before else [])
    own = [one for one in dict.fromkeys(parts) if await _unless_released(one, desk) is not None]
    kept = [write.reference, *[one for one in own if (held := await desk.read(one)) and not held.source]]
    beside = [one for one in await _attached(kept, desk) if not is_flag(one.resource)]
    return [*kept, *[one.reference for one in beside]]


async def _unless_released(reference: str, desk: Desk) -> Audience:
    part = await desk.read(reference)
    if part is None or part.source:
        return DEPARTMENT
    carriers = await _carriers(reference, part.resource, desk)
    return None if any(map(shows_parts, carriers)) else await _first(part.resource, desk)


async def _carriers(reference: str, part: Resource, desk: Desk) -> list[Resource]:
    """The reports that name this part, as they will stand."""
    if part["resourceType"] == "Observation":
        held = await desk.search(f"DiagnosticReport?result={reference}")
        return [one.resource for one in held if reference in results_of(one.resource)]
    subject = reference_of(part.get("subject"))
    held = await desk.search(f"DiagnosticReport?subject{f'={subject}' if subject else ':missing=true'}")
    return [one.resource for one in held if composition_of(one.resource) == reference]


async def _attached(carriers: Sequence[str], desk: Desk) -> list[Stored]:
    """The parts that name these reports, or what they carry, as far as they are kept here."""
    if not carriers:
        return []
    names = ",".join(carriers)
    searches = [
        f"Provenance?target={names}",
        f"DetectedIssue?implicated={names}",
        f"DocumentReference?related={names}",
        *[f"Observation?focus={one}" for one in carriers if one.startswith("DiagnosticReport/")],
    ]
    return [one for search in searches for one in await desk.search(search) if not one.source]


async def _hidden(reference: str, found: Mapping[str, Audience], desk: Desk) -> bool:
    """Whether what a part belongs to is not for everybody."""
    if reference in found:
        return found[reference] is not None
    carrier = await desk.read(reference)
    if carrier is None:  # the draft of a next version is gone once that is released; what was said of it stays with us
        return reference.startswith("DiagnosticReport/r-")
    if carrier.source:
        return False
    return not shows_parts(carrier.resource) if reference.startswith("DiagnosticReport/") else bool(carrier.audience)


async def _first(part: Resource, desk: Desk) -> tuple[str, ...]:
    """Whom a part is shown to before release."""
    if not is_flag(part):
        return before_release(part)
    return before_release(part, await _receivers(f"Observation/{part['id']}", desk))


async def _of_flag(flag: Stored, desk: Desk) -> Audience:
    return None if flag.audience is None else await _first(flag.resource, desk)


async def _rung_for(write: Write, desk: Desk) -> Stored | None:
    """The flag about which a case, or a message of one, has just arrived."""
    tree = write.resource
    if tree["resourceType"] == "Communication":
        named = (reference_of(one) for one in tree.get("basedOn", []))
        cases = [await desk.read(one) for one in named if one.startswith("Task/")]
        tree = next((case.resource for case in cases if case is not None), {"resourceType": ""})
    if tree["resourceType"] != "Task" or code_of(tree.get("code"), TASK_CODE) != "critical-case":
        return None
    flag = await desk.read(reference_of(tree.get("focus")) or "Observation/none")
    return (
        flag if flag is not None and not flag.source and code_of(flag.resource.get("code"), CRITICAL_FINDING) else None
    )


async def _receivers(flag: str, desk: Desk) -> list[str]:
    """The people whom the cases of a flag were sent to, or who have it in hand."""
    named: list[str] = []
    for case in await desk.search(f"Task?focus={flag}"):
        if code_of(case.resource.get("code"), TASK_CODE) != "critical-case":
            continue
        named.append(reference_of(case.resource.get("owner")))
        for sent in await desk.search(f"Communication?based-on={case.reference}"):
            named += [reference_of(one) for one in sent.resource.get("recipient", [])]
    people = [one for one in named if one.startswith("Practitioner/")]
    for role in {one for one in named if one.startswith("PractitionerRole/")}:
        held = await desk.read(role)
        people.append(reference_of(held.resource.get("practitioner")) if held else "")
    return [one for one in people if one]

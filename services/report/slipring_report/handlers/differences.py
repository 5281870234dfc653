"""`$draft-differences`: what was changed between an author's first signature and the release, for teaching (5.6.1, 5.6.2.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from slipring.fhir.service import Call, Changes, Desk, Resource, Stored
from slipring.qc.proportion import wilson
from slipring.qc.report.differences import Difference, difference

from slipring_report.checks.texts import sections_of
from slipring_report.learning.gathering import demand_department, looked_ahead, period_asked, released_in
from slipring_report.learning.telling import interval_parts, part
from slipring_report.lifecycle import RELEASED
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.facts import Signature
from slipring_report.signatures.gathering import signatures_of, signatures_sought

_SIGNED_TEXT = ("DiagnosticReport", "Composition")


async def differences_told(call: Call, desk: Desk) -> Changes:
    """By author: his reports of a period, and per section how many words stayed, came and went; nothing is stored."""
    demand_department(desk)
    start, end = period_asked(call, desk)
    wanted, totals = reference_of(call.value("author")), dict[tuple[str, str], Difference]()
    found: list[Resource] = []
    counts, altered = Counter[str](), Counter[str]()
    reports = await released_in(start, end, desk)
    await looked_ahead(desk, queries=(signatures_sought(one.reference) for one in reports))
    for report in reports:
        first, release = _ends(await signatures_of(report.reference, desk))
        if first is None or release is None or (wanted and first.who != wanted):
            continue
        read: dict[str, Stored | None] = {}  # a text that both signed at one version is read once
        changes = _between(await _text(first, desk, read), await _text(release, desk, read))
        counts[first.who] += 1
        altered[first.who] += any(one.changed for one in changes.values())
        for section, one in changes.items():
            totals[first.who, section] = _sum(totals.get((first.who, section)), one)
        found.append(_report(report, first, release, changes))
    answer = parameters(
        ("period", "Period", {"start": written(start), "end": written(end)}),
        ("numerator", "Integer", altered.total()),
        ("denominator", "Integer", counts.total()),
    )
    answer["parameter"] += interval_parts(wilson(altered.total(), counts.total()))
    for who, count in sorted(counts.items()):
        sections = {section: one for (author, section), one in totals.items() if author == who}
        said = [part("author", "Reference", reference(who)), part("reports", "Integer", count)]
        said.append(part("changed", "Integer", altered[who]))
        answer["parameter"].append({"name": "byAuthor", "part": [*said, *_sections(sections)]})
    answer["parameter"] += found
    return Changes(answer=answer)


def _ends(signatures: list[Signature]) -> tuple[Signature | None, Signature | None]:
    """The author's first signature, voided or not, and the signature that released the report for the first time."""
    ordered = sorted(signatures, key=lambda one: one.recorded_at)
    first = next((one for one in ordered if one.role == "author"), None)
    return first, next((one for one in ordered if one.reached in RELEASED), None)


async def _text(signature: Signature, desk: Desk, read: dict[str, Stored | None]) -> Mapping[str, str]:
    """The words that a signature covers, read from the versions it names."""
    held: dict[str, Resource] = {}
    for target in signature.provenance.resource.get("target", []):
        named = str(target.get("reference", ""))
        address, _, version = named.partition("/_history/")
        kind = address.partition("/")[0]
        if not version.isdecimal() or kind not in _SIGNED_TEXT:
            continue
        if named not in read:
            read[named] = await desk.read_version(address, int(version))
        if stored := read[named]:
            held[kind] = stored.resource
    return sections_of(held.get("DiagnosticReport", {}), held.get("Composition"))


def _between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Difference]:
    names = dict.fromkeys([*before, *after])
    return {name: difference(before.get(name, ""), after.get(name, "")) for name in names}


def _sum(one: Difference | None, other: Difference) -> Difference:
    if one is None:
        return other
    return Difference(one.kept + other.kept, one.added + other.added, one.removed + other.removed)


def _sections(changes: Mapping[str, Difference]) -> list[Resource]:
    return [
        {
            "name": "section",
            "part": [
                part("name", "Code", name),
                part("kept", "Integer", one.kept),
                part("added", "Integer", one.added),
                part("removed", "Integer", one.removed),
            ],
        }
        for name, one in changes.items()
    ]


def _report(report: Stored, first: Signature, release: Signature, changes: Mapping[str, Difference]) -> Resource:
    said = [
        part("report", "Reference", reference(report.reference)),
        part("author", "Reference", reference(first.who)),
        part("releasedBy", "Reference", reference(release.who)),
        part("changed", "Boolean", any(one.changed for one in changes.values())),
    ]
    return {"name": "report", "part": [*said, *_sections(changes)]}

"""A case's records in one service: from request and exam along the declared links, each as it is stored now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slipring.assessing.links import Links, names_one_of, references_in
from slipring.fhir.service import Desk, Evidence, Stored

_AT_ONCE = 50  # references in one search
STAFF = frozenset({"Practitioner", "PractitionerRole"})  # whose copies are shown, too: who signed stays visible

_OF_ONE_CASE = frozenset(
    {
        "ServiceRequest", "Task", "Procedure", "ImagingStudy", "Consent", "MedicationAdministration", "AdverseEvent",
        "DiagnosticReport",
    }
)  # fmt: skip


@dataclass(slots=True)
class Case:
    """What was found: own records with their hashes, copies of others' by which it was found, in the order of finding."""

    own: dict[str, Evidence] = field(default_factory=dict)
    copies: dict[str, Stored] = field(default_factory=dict)

    def knows(self, reference: str) -> bool:
        """Whether it is of the case."""
        return reference in self.own or reference in self.copies

    @property
    def stored(self) -> list[Stored]:
        """All of it."""
        return [*(one.stored for one in self.own.values()), *self.copies.values()]

    @property
    def whose(self) -> list[Stored]:
        """The people that the case is about."""
        return [one for one in self.stored if one.resource["resourceType"] in ("Patient", "RelatedPerson")]


async def gathered(roots: Sequence[str], links: Links, desk: Desk) -> Case:
    """Everything that the links lead to; what is not released yet is left out."""
    case = Case()
    fresh = await taken(roots, case, desk, links)
    waiting: dict[str, Evidence] = {}
    seen = set(roots)
    while fresh:
        found = await _linked(fresh, links, desk)
        pointed = {name for one in fresh for name in references_in(one.resource) if _kind(name) in links.read}
        waiting |= {name: one for name, (one, named) in found.items() if named and not case.knows(name)}
        fresh = [_added(one, case) for name, (one, named) in found.items() if not named and not case.knows(name)]
        fresh += await taken(sorted(pointed - seen), case, desk, links)
        seen |= pointed
        while ready := _naming(waiting, case):
            fresh += [_added(waiting.pop(name), case) for name in ready]
    return case


def _naming(waiting: dict[str, Evidence], case: Case) -> list[str]:
    """Of what waits, what names a record of this case alone: two cases share a patient, a stay, a lot, a laboratory value."""
    known = {one.reference for one in case.stored if one.resource["resourceType"] in _OF_ONE_CASE}
    return [name for name, one in waiting.items() if names_one_of(one.stored.resource, known)]


async def _linked(fresh: Iterable[Stored], links: Links, desk: Desk) -> dict[str, tuple[Evidence, bool]]:
    by_kind: dict[str, list[str]] = {}
    for begun in fresh:
        by_kind.setdefault(str(begun.resource["resourceType"]), []).append(begun.reference)
    found: dict[str, tuple[Evidence, bool]] = {}
    for link in links.links:
        for query in _asked(link.find, by_kind.get(link.start, ())):
            async for one in desk.evidence(query, desk.now):
                if not links.hides(one.stored.resource):
                    before = found.get(one.stored.reference)
                    found[one.stored.reference] = (one, link.named and (before is None or before[1]))
    return found


async def taken(references: Sequence[str], case: Case, desk: Desk, links: Links) -> list[Stored]:
    """These records, own or copied; what is not here is left out."""
    by_kind: dict[str, list[str]] = {}
    for name in references:
        if not case.knows(name):
            by_kind.setdefault(_kind(name), []).append(name)
    fresh = []
    for kind, names in by_kind.items():
        for query in _asked(f"{kind}?_id", [name.partition("/")[2] for name in names]):
            async for one in desk.evidence(query, desk.now):
                fresh += [] if links.hides(one.stored.resource) else [_added(one, case)]
        for name in names:
            copy = None if case.knows(name) else await desk.read(name)
            if copy is not None and copy.source:
                case.copies[name] = copy
                fresh.append(copy)
    return fresh


def _added(one: Evidence, case: Case) -> Stored:
    case.own[one.stored.reference] = one
    return one.stored


def _asked(find: str, names: Sequence[str]) -> list[str]:
    return [f"{find}={','.join(names[n : n + _AT_ONCE])}" for n in range(0, len(names), _AT_ONCE)]


def _kind(reference: str) -> str:
    return reference.partition("/")[0]

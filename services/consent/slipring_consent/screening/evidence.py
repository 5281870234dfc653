"""What is at hand of one person: his resources by type, whether copies on a desk or entries of a Bundle."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slipring.fhir.service import Resource

from slipring_consent.reading import reference_of

# What is nobody's, and lies in a Bundle because a record of the person points at it.
_OF_NOBODY = frozenset({"Medication", "Location", "Organization", "Practitioner", "PractitionerRole", "Substance"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """The resources of one person by their type, with the medicines and places that they point at."""

    by_type: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    response: Resource | None = None  # the answers; None where nobody was asked yet
    request: Resource | None = None  # the exam that contrast is planned for
    aliases: Mapping[str, str] = field(default_factory=dict)  # a Bundle's fullUrl -> `Type/id`
    person: frozenset[str] = (
        frozenset()
    )  # the records of the person, as `Patient/id`; empty where nothing says who it is

    def of(self, resource_type: str) -> Sequence[Resource]:
        """All resources of this type."""
        return self.by_type.get(resource_type, ())

    def at(self, reference: str) -> Resource | None:
        """The resource a reference names; None where it does not lie here."""
        name = reference_of({"reference": reference})
        kind, _, rest = self.aliases.get(name, name).partition("/")
        return next((one for one in self.of(kind) if one.get("id") == rest), None)

    def with_copies(self, copies: Evidence) -> Evidence:
        """Together with what lies on the desk about the same person; of a resource that lies in both, this one counts."""
        held = {f"{kind}/{one.get('id')}" for kind, ones in self.by_type.items() for one in ones if one.get("id")}
        by_type = {kind: [*ones] for kind, ones in self.by_type.items()}
        for kind, ones in copies.by_type.items():
            by_type.setdefault(kind, []).extend(one for one in ones if f"{kind}/{one.get('id')}" not in held)
        return replace(
            self, by_type=by_type, request=self.request or copies.request, person=self.person | copies.person
        )

    def medicine(self, record: Resource) -> Resource | None:
        """The concept of the medicine that a statement, request or administration is about."""
        concept: Resource | None = record.get("medicationCodeableConcept")
        if concept is not None:
            return concept
        held = self._held(record.get("medicationReference", {}), record)
        return held.get("code") if held else None

    def medicines(self, record: Resource) -> list[Resource]:
        """All that says what a record is about: the medicine, what it is made of, and the words beside a reference."""
        named = record.get("medicationReference", {})
        held = self._held(named, record) or {}
        found = [record.get("medicationCodeableConcept"), held.get("code"), {"text": named.get("display", "")}]
        for part in held.get("ingredient", []):
            pointed = part.get("itemReference", {})
            inner = self._held(pointed, record) or self._held(pointed, held) or {}
            found += [part.get("itemCodeableConcept"), inner.get("code"), {"text": pointed.get("display", "")}]
        return [one for one in found if one]

    def _held(self, named: Resource, within: Resource) -> Resource | None:
        reference = str(named.get("reference", ""))
        if reference.startswith("#"):
            return next((one for one in within.get("contained", []) if one.get("id") == reference[1:]), None)
        return self.at(reference)


def evidence_in(bundle: Resource, response: Resource | None = None) -> Evidence:
    """What a Bundle holds of one person; another patient's data in it is not used, nor what says of nobody whose it is.

    The person is the subject of the answers, else of the one active ServiceRequest, else the only one it tells of.
    """
    entries = [entry for entry in bundle.get("entry", []) if isinstance(entry.get("resource"), dict)]
    held = [_with_id(entry) for entry in entries]
    aliases = {
        str(entry["fullUrl"]): f"{one.get('resourceType')}/{one.get('id')}"
        for entry, one in zip(entries, held, strict=True)
        if entry.get("fullUrl")
    }
    person = _person(held, response, _asked(held, response, aliases), aliases)
    by_type: dict[str, list[Resource]] = {}
    for one in held:
        if one.get("resourceType") in _OF_NOBODY or not person or _whose(one, aliases) in person:
            by_type.setdefault(str(one.get("resourceType")), []).append(one)
    request = _asked(by_type.get("ServiceRequest", []), response, aliases) if person else None
    return Evidence(by_type, response, request, aliases, frozenset(person))


def _with_id(entry: Resource) -> Resource:
    """The resource of an entry; where it has no id, as before it is stored, it goes by the end of its fullUrl."""
    held: Resource = entry["resource"]
    return held if held.get("id") else {**held, "id": re.split("[/:]", str(entry.get("fullUrl", "")))[-1]}


def _whose(one: Resource, aliases: Mapping[str, str]) -> str:
    """The record of the person that a resource is about; empty where it names none."""
    if one.get("resourceType") == "Patient":
        return f"Patient/{one.get('id')}"
    return _named(one.get("subject") or one.get("patient") or {}, aliases)


def _named(about: Resource, aliases: Mapping[str, str]) -> str:
    """Whom a Reference names."""
    reference = reference_of(about)
    return aliases.get(reference, reference)


def _asked(held: Sequence[Resource], response: Resource | None, aliases: Mapping[str, str]) -> Resource | None:
    """The exam: what the answers are based on, else the only active request of the Bundle."""
    requests = [one for one in held if one.get("resourceType") == "ServiceRequest"]
    based = {_named(entry, aliases) for entry in (response or {}).get("basedOn", [])}
    meant = [one for one in requests if f"ServiceRequest/{one.get('id')}" in based]
    active = [one for one in requests if one.get("status") == "active"]
    return meant[0] if meant else active[0] if len(active) == 1 else None


def _person(
    held: Sequence[Resource], response: Resource | None, request: Resource | None, aliases: Mapping[str, str]
) -> Collection[str]:
    """Every record of the person, with what the Bundle's Patients say was merged; none where two go by one name."""
    of_patients = [one for one in held if one.get("resourceType") == "Patient"]
    patients = {f"Patient/{one.get('id')}": one for one in of_patients}
    if len(patients) < len(of_patients):
        return frozenset()
    subjects = [one["subject"] for one in (response, request) if one and one.get("subject")]
    told_of = set(patients) or {whose for one in held if (whose := _whose(one, aliases))}
    person = {_named(subjects[0], aliases)} if subjects else told_of if len(told_of) == 1 else set()
    for reference, patient in patients.items():
        links = {_named(link.get("other", {}), aliases) for link in patient.get("link", []) if _merging(link)}
        if links & person or reference in person:
            person |= {reference, *links} if person else set()
    return person - {""}


def _merging(link: Resource) -> bool:
    return link.get("type") in ("replaced-by", "replaces")

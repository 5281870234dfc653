"""Small pure readers of R4 trees: references, codes, moments, and a pool of resources to resolve in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from slipring.fhir.search.moment import moment as moment_in
from slipring.fhir.service import Resource


def reference_of(element: Mapping[str, Any] | None) -> str:
    """The reference as written, without a version; a full URL is cut to `Type/id`."""
    text = str((element or {}).get("reference", "")).partition("/_history/")[0]
    return "/".join(text.split("/")[-2:]) if text.startswith(("http://", "https://")) else text


def codings(concept: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The codings of a CodeableConcept."""
    return list((concept or {}).get("coding", []))


def codes(concept: Mapping[str, Any] | None) -> list[str]:
    """The bare codes of a CodeableConcept."""
    return [str(coding["code"]) for coding in codings(concept) if coding.get("code")]


def has_code(concept: Mapping[str, Any] | None, system: str, code: str) -> bool:
    """Whether a CodeableConcept carries this code of this system."""
    return any(coding.get("system") == system and coding.get("code") == code for coding in codings(concept))


def has_system(concept: Mapping[str, Any] | None, system: str) -> bool:
    """Whether a CodeableConcept carries any code of this system."""
    return any(coding.get("system") == system for coding in codings(concept))


def identifier_of(resource: Resource, type_code: str) -> Mapping[str, Any] | None:
    """The first identifier of a v2-0203 type (PLAC, FILL, ACSN)."""
    for identifier in resource.get("identifier", []):
        if type_code in codes(identifier.get("type")):
            return dict(identifier)
    return None


def sought(value: str) -> str:
    """A value as a search holds it: what separates is escaped (FHIR R4 search 3.1.1.5.5), and it is quoted."""
    for sign in "\\|,$":
        value = value.replace(sign, f"\\{sign}")
    return quote(value, safe="")


def moment(text: Any, zone: tzinfo, *, end_of_day: bool = False) -> datetime | None:
    """A FHIR dateTime as an instant; a bare day is the department's day; a month or year is no moment."""
    return moment_in(text, zone, end_of_day=end_of_day)


def instant(at: datetime) -> str:
    """An instant as FHIR writes it, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def first(resource: Mapping[str, Any], *names: str) -> Any:
    """The first of these members that is there; a Period gives its start."""
    for name in names:
        value = resource.get(name)
        if isinstance(value, Mapping):
            value = value.get("start")
        if value:
            return value
    return None


@dataclass(slots=True)
class Pool:
    """The resources a judgement may look at, by reference and by type."""

    by_reference: dict[str, Resource] = field(default_factory=dict)
    one_person: frozenset[str] = frozenset()  # records that the HIS has merged

    def add(self, *resources: Resource | None) -> None:
        """Put resources in, under `Type/id`."""
        for resource in resources:
            if resource is not None:
                self.by_reference[f"{resource['resourceType']}/{resource.get('id', '')}"] = resource

    def fill(self, *resources: Resource | None) -> None:
        """Put in what is not there yet."""
        for resource in resources:
            if resource is not None:
                self.by_reference.setdefault(f"{resource['resourceType']}/{resource.get('id', '')}", resource)

    def name(self, full_url: str, resource: Resource) -> None:
        """Make a resource known under a Bundle's fullUrl as well."""
        self.by_reference[full_url] = resource

    def of_type(self, *types: str) -> Iterator[Resource]:
        """All resources of these types, each once."""
        seen: set[int] = set()
        for resource in self.by_reference.values():
            if resource["resourceType"] in types and id(resource) not in seen:
                seen.add(id(resource))
                yield resource

    def resolve(self, element: Mapping[str, Any] | None, within: Resource | None = None) -> Resource | None:
        """What a Reference points at: contained, by address, or by a business identifier."""
        reference = reference_of(element)
        if reference.startswith("#"):
            contained: Iterable[Resource] = (within or {}).get("contained", [])
            return next((entry for entry in contained if entry.get("id") == reference[1:]), None)
        if reference:
            return self.by_reference.get(reference)
        identifier = (element or {}).get("identifier")
        wanted = (element or {}).get("type")
        if not identifier:
            return None
        return next((r for r in self.by_reference.values() if _carries(r, identifier, wanted)), None)

    def same(self, element: Mapping[str, Any] | None, resource: Resource) -> bool:
        """Whether a Reference points at this very resource."""
        here = f"{resource['resourceType']}/{resource.get('id')}"
        if here in self.one_person and reference_of(element) in self.one_person:
            return True
        found = self.resolve(element)
        if found is not None:
            return found is resource or (
                found["resourceType"] == resource["resourceType"] and found.get("id") == resource.get("id") is not None
            )
        return reference_of(element) == here


def _carries(resource: Resource, identifier: Mapping[str, Any], wanted: str | None) -> bool:
    held = resource.get("identifier", [])
    return (wanted is None or resource["resourceType"] == wanted) and any(
        entry.get("system") == identifier.get("system") and entry.get("value") == identifier.get("value")
        for entry in (held if isinstance(held, list) else [held])
    )

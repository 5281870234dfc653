"""Value sets and code systems as resources, and the answers of the terminology operations about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from slipring.fhir.service import Resource
from slipring.fhir.terminology import CodeSystem, Concept, ValueSet

DATE = "2026-11-25"
_CHINESE = "zh-CN"


def as_value_set(found: ValueSet, id: str) -> Resource:
    """A ValueSet: whole systems by name, others code by code."""
    return {
        "resourceType": "ValueSet",
        "id": id,
        "url": found.url,
        "version": found.version,
        "name": found.name,
        "title": found.title,
        "status": "active",
        "date": DATE,
        "compose": {"include": [_include(found, system) for system in found.systems]},
    }


def _include(found: ValueSet, system: str) -> Resource:
    if system in found.whole:
        return {"system": system}
    return {"system": system, "concept": [_named(concept) for concept in found.of_system(system)]}


def as_code_system(found: CodeSystem, id: str) -> Resource:
    """A CodeSystem; of an official one only the codes of required bindings, which it says (`fragment`)."""
    return {
        "resourceType": "CodeSystem",
        "id": id,
        "url": found.url,
        "version": found.version,
        "name": found.name,
        "title": found.title,
        "status": "active",
        "date": DATE,
        "caseSensitive": True,
        "content": "fragment" if found.fragment else "complete",
        "count": len(found.concepts),
        "concept": [_named(concept) for concept in found.concepts],
    }


def expanded(resource: Resource, concepts: Sequence[Concept], *, offset: int, count: int, now: datetime) -> Resource:
    """The ValueSet with one page of its codes."""
    page = concepts[offset : offset + count]
    return {
        **resource,
        "expansion": {
            "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "total": len(concepts),
            "offset": offset,
            **({"contains": [{"system": c.system, **_named(c)} for c in page]} if page else {}),
        },
    }


def matching(concepts: Iterable[Concept], text: str) -> list[Concept]:
    """The codes whose code or name, in either language, holds the text."""
    wanted = text.casefold()
    return [c for c in concepts if any(wanted in word.casefold() for word in (c.code, c.display, c.zh))]


def designations(concept: Concept) -> list[Resource]:
    """The other names of a code."""
    return [{"language": _CHINESE, "value": concept.zh}] if concept.zh else []


def _named(concept: Concept) -> Resource:
    named: Resource = {"code": concept.code}
    if concept.display or concept.zh:
        named["display"] = concept.display or concept.zh
    if concept.zh:
        named["designation"] = designations(concept)
    return named

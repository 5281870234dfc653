"""The hospital's own codes of exams and body parts, translated by the ConceptMaps that two people have approved; pure.

A map is current while its status is active. It translates only the codes of the systems it names as source, and only
into this department's exams, shipped or its own, and into its parts of the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order import catalogue
from slipring_order.offer.defined import exam_in, exam_number
from slipring_order.reading import Pool, codes, codings

EXAM_SYSTEM = f"{CANONICAL}/CodeSystem/exam"
BODY_PARTS = f"{CANONICAL}/CodeSystem/body-part"
TARGETS = (EXAM_SYSTEM, BODY_PARTS)
# The catalogue's exam must hold everything the local one asks for; a narrower target would leave something out.
_USABLE = frozenset({"equal", "equivalent", "wider", "subsumes"})


@dataclass(frozen=True, slots=True)
class Translated:
    """A local code and what a map makes of it."""

    system: str
    code: str
    exam: catalogue.Exam
    by: str  # the map's version: ConceptMap/o-1/_history/2


def exam_of_concept(concept: Mapping[str, Any] | None, pool: Pool) -> catalogue.Exam | None:
    """The exam a concept names: by a current map for the systems it translates, else by the catalogue itself."""
    translated = translation(concept, pool)
    return translated.exam if translated else _directly(concept, pool)


def translation(concept: Mapping[str, Any] | None, pool: Pool) -> Translated | None:
    """The first coding that a current map of the pool translates."""
    for coding in codings(concept):
        for source, element, by in _elements(_maps(pool), EXAM_SYSTEM):
            if coding.get("system") == source and coding.get("code") == element.get("code"):
                exam = _target(element, pool)
                if exam is not None:
                    return Translated(source, str(coding["code"]), exam, by)
    return None


def place_of(concept: Mapping[str, Any] | None, pool: Pool) -> catalogue.Place | None:
    """The part of the body that our own code names, or a local one by a current map."""
    for coding in codings(concept):
        named = [str(coding.get("code"))] if coding.get("system") == BODY_PARTS else []
        for source, element, _ in _elements(_maps(pool), BODY_PARTS):
            if coding.get("system") == source and coding.get("code") == element.get("code"):
                named += _target_codes(element)
        if found := next((catalogue.places()[name] for name in named if name in catalogue.places()), None):
            return found
    return None


def own_targets(resources: Iterable[Resource], maps: Iterable[Resource]) -> list[str]:
    """The department's own exams, beside those that are shipped, that the codes of these resources are mapped to."""
    held = list(maps)
    if not held:
        return []
    concepts = (concept for one in resources for concept in _concepts(one))
    used = {(c.get("system"), c.get("code")) for concept in concepts for c in codings(concept)}
    elements = (element for source, element, _ in _elements(held, EXAM_SYSTEM) if (source, element.get("code")) in used)
    return sorted({code for element in elements for code in _target_codes(element)} - set(catalogue.own_codes()))


def is_coded(concept: Mapping[str, Any] | None, exam: catalogue.Exam | None) -> bool:
    """False when local codes are all there is and none of them leads to the catalogue; `exam` is what the concept names."""
    given = [coding for coding in codings(concept) if coding.get("code")]
    return not given or exam is not None or any(not is_local(coding) for coding in given)


def is_unlisted(concept: Mapping[str, Any] | None, exam: catalogue.Exam | None) -> bool:
    """Whether a code is given that is none of the catalogue and no local one that waits for its map."""
    given = [coding for coding in codings(concept) if coding.get("code")]
    return bool(given) and exam is None and is_coded(concept, exam)


def is_withdrawn(exam: catalogue.Exam, pool: Pool) -> bool:
    """Whether the department's own definition of an exam says that it is not offered."""
    stated = (one for one in pool.of_type("ActivityDefinition") if exam_number(one) == exam.code)
    return any(one.get("status") in ("retired", "draft") for one in stated)


def is_local(coding: Mapping[str, Any]) -> bool:
    """Whether a coding is of a system that only a map could translate."""
    return bool(coding.get("system")) and coding["system"] not in (*catalogue.known_systems(), EXAM_SYSTEM)


def local_systems(resources: Iterable[Resource]) -> list[str]:
    """The local code systems that these resources name their exam with."""
    concepts = [concept for resource in resources for concept in _concepts(resource)]
    return sorted({str(coding["system"]) for concept in concepts for coding in codings(concept) if is_local(coding)})


def is_own_map(concept_map: Resource) -> bool:
    """Whether a ConceptMap translates into the department's exams or parts of the body."""
    return any(group.get("target") in TARGETS for group in concept_map.get("group", []))


def _concepts(resource: Resource) -> list[Mapping[str, Any]]:
    if resource["resourceType"] == "ImagingStudy":
        sites = [{"coding": [one["bodySite"]]} for one in resource.get("series", []) if one.get("bodySite")]
        return [*resource.get("procedureCode", []), *sites]
    held = resource.get("bodySite", [])
    named = [resource["code"]] if isinstance(resource.get("code"), Mapping) else []
    return [*named, *(held if isinstance(held, list) else [held])]


def _directly(concept: Mapping[str, Any] | None, pool: Pool) -> catalogue.Exam | None:
    groups = (group for one in _maps(pool) for group in one.get("group", []))
    mapped = {str(g.get("source", "")) for g in groups if g.get("target") == EXAM_SYSTEM and g.get("element")}
    plain = {"coding": [coding for coding in codings(concept) if coding.get("system") not in mapped]}
    named = codes(plain)
    shipped = catalogue.exam_of(named)
    return _as_edited(shipped, pool) if shipped else _defined(named, pool)


def _as_edited(shipped: catalogue.Exam, pool: Pool) -> catalogue.Exam:
    """A shipped exam as the department's definition of it reads, where the pool holds one that is offered."""
    stated = _defined([shipped.code], pool)
    if stated is None:
        return shipped
    return replace(
        shipped,
        systems=stated.systems or shipped.systems,
        regions=shipped.regions if stated.regions <= shipped.regions else stated.regions,
        contrast=shipped.contrast if shipped.contrast is None else stated.contrast,
        phases=stated.phases,
        protocol=stated.protocol or shipped.protocol,
        laterality=stated.laterality,
    )


def _defined(named: list[str], pool: Pool) -> catalogue.Exam | None:
    """The department's own exam, beside those that are shipped."""
    found = (exam_in(one) for one in pool.of_type("ActivityDefinition") if exam_number(one) in named)
    return next((exam for exam in found if exam is not None), None)


def _maps(pool: Pool) -> Iterator[Resource]:
    return (found for found in pool.of_type("ConceptMap") if found.get("status") == "active" and is_own_map(found))


def _elements(maps: Iterable[Resource], target: str) -> Iterator[tuple[str, Resource, str]]:
    """Source system, element, and which version of which map it stands in, of the groups into one system."""
    for found in maps:
        version = found.get("meta", {}).get("versionId")
        by = f"ConceptMap/{found['id']}" + (f"/_history/{version}" if version else "")
        for group in found.get("group", []):
            if group.get("target") == target:
                for element in group.get("element", []):
                    yield str(group.get("source", "")), element, by


def _target(element: Resource, pool: Pool) -> catalogue.Exam | None:
    """The exam of the catalogue, or the department's own where the pool holds its definition."""
    named = _target_codes(element)
    shipped = next((catalogue.own_codes()[code] for code in named if code in catalogue.own_codes()), None)
    return _as_edited(shipped, pool) if shipped else _defined(named, pool)


def _target_codes(element: Resource) -> list[str]:
    usable = [t for t in element.get("target", []) if t.get("equivalence", "equivalent") in _USABLE]
    return [str(target["code"]) for target in usable if target.get("code")]

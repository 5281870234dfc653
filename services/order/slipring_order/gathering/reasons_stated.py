"""Why a request asks for its exam: reasons in words and codes, diagnoses, and the purpose they state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.gathering.indications import purpose_of
from slipring_order.gathering.sites import words
from slipring_order.reading import Pool, codings

PURPOSE_SYSTEM = f"{CANONICAL}/CodeSystem/exam-purpose"
_ICD10 = ("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3")


def reason_words(request: Resource) -> Iterator[str]:
    """The reasons in words: texts, and displays of codes."""
    for concept in request.get("reasonCode", []):
        if concept.get("text"):
            yield str(concept["text"])
        yield from (
            str(c["display"]) for c in codings(concept) if c.get("display") and c.get("system") != PURPOSE_SYSTEM
        )


def has_coded_reason(request: Resource, pool: Pool) -> bool:
    """Whether a reason is coded, or points at a diagnosis or finding that is."""
    coded = any(
        coding.get("code") and coding.get("system") not in (None, PURPOSE_SYSTEM)
        for concept in request.get("reasonCode", [])
        for coding in codings(concept)
    )
    return coded or any(
        (found := pool.resolve(reference, request)) is not None and found.get("code")
        for reference in request.get("reasonReference", [])
    )


def purpose_stated(request: Resource, pool: Pool) -> str:
    """The coded purpose, or the one that the reasons state when they state nothing else; empty when none is."""
    return _coded_purpose(request) or _stated_purpose(request, pool)


def _coded_purpose(request: Resource) -> str:
    found = (
        c.get("code") for r in request.get("reasonCode", []) for c in codings(r) if c.get("system") == PURPOSE_SYSTEM
    )
    return next((str(code) for code in found if code), "")


def _stated_purpose(request: Resource, pool: Pool) -> str:
    """The purpose when every reason and every diagnosis states it and nothing else; the name of a code adds nothing."""
    texts, coded = [], list(diagnoses(request, pool))
    for concept in _concepts(request, pool):
        named = {
            str(c["display"]).casefold() for c in codings(concept) if c.get("display") and _is_icd10(c.get("system"))
        }
        texts += [text for text in words(concept) if text.casefold() not in named]
    return purpose_of(texts, coded)


def reasons_and_diagnoses_in_words(request: Resource, pool: Pool) -> Iterator[str]:
    """The reasons in words, with those of the diagnoses they point at."""
    yield from reason_words(request)
    for condition in _conditions(request, pool):
        yield from (str(c["display"]) for c in codings(condition.get("code")) if c.get("display"))
        if text := condition.get("code", {}).get("text"):
            yield str(text)


def diagnoses(request: Resource, pool: Pool) -> Iterator[str]:
    """The ICD-10 codes of reasons and diagnoses."""
    for concept in _concepts(request, pool):
        yield from (str(c["code"]) for c in codings(concept) if c.get("code") and _is_icd10(c.get("system")))


def _is_icd10(system: Any) -> bool:
    return str(system or "").startswith(_ICD10)


def _concepts(request: Resource, pool: Pool) -> list[Mapping[str, Any]]:
    """The reasons, and the codes of the diagnoses they point at."""
    return [*request.get("reasonCode", []), *(condition["code"] for condition in _conditions(request, pool))]


def _conditions(request: Resource, pool: Pool) -> list[Resource]:
    named = (pool.resolve(reference, request) for reference in request.get("reasonReference", []))
    return [resource for resource in named if resource is not None and resource.get("code")]

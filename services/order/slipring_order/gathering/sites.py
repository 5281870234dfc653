"""The regions that exams and body sites stand for: by their codes, else by their words, else none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from slipring.fhir.service import Resource

from slipring_order import catalogue
from slipring_order.gathering.sides import regions_of_sides
from slipring_order.images.words import regions_in
from slipring_order.offer.mapping import exam_of_concept, place_of
from slipring_order.reading import Pool, codes, codings


def regions_of(
    exam: catalogue.Exam | None, named: Mapping[str, Any] | None, sites: Iterable[Any], pool: Pool
) -> frozenset[str]:
    """The regions of an exam that a concept names, with those of the body sites beside it."""
    of_exam = (exam.regions if exam else frozenset()) or regions_in(words(named))
    return of_exam.union(*(regions_of_site(site, pool) for site in sites))


def regions_of_site(site: Mapping[str, Any], pool: Pool) -> frozenset[str]:
    """The regions of a body site: what its codes do not say, its words may."""
    coded, place = codes(site), place_of(site, pool)
    if place is not None:
        return place.regions
    return catalogue.regions_of(coded) | regions_of_sides(coded) or regions_in(words(site))


def regions_of_study(study: Resource, series: Iterable[Resource], pool: Pool) -> frozenset[str]:
    """The regions that an ImagingStudy shows: by its series and procedure codes, else by its descriptions."""
    held = list(series)
    sites = [{"coding": [one["bodySite"]]} for one in held if one.get("bodySite")]
    exams = (exam_of_concept(concept, pool) for concept in study.get("procedureCode", []))
    found = frozenset[str]().union(
        *(exam.regions for exam in exams if exam), *(regions_of_site(site, pool) for site in sites)
    )
    described = [study.get("description"), *(one.get("description") for one in held)]
    named = [text for concept in study.get("procedureCode", []) for text in words(concept)]
    return found or regions_in([*(str(text) for text in described if text), *named])


def words(concept: Mapping[str, Any] | None) -> Iterator[str]:
    """The text of a concept and the displays of its codings."""
    told = ((concept or {}).get("text"), *(coding.get("display") for coding in codings(concept)))
    yield from (str(text) for text in told if text)

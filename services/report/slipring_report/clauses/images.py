"""A complete report comes with its images: handed out on film, disc or the like, or made available where others look (5.8.1)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from slipring.fhir.service import Evidence
from slipring.verdicts.looking import Judged, Look, broken

from slipring_report.clauses.judges import released_here
from slipring_report.department import limit_on
from slipring_report.reading import reference_of, request_of
from slipring_report.vocabulary import MESSAGE_CATEGORY

_WITHIN = "images_given.hours"
_ON_RECORD = f"Communication?category={MESSAGE_CATEGORY}|images-handed-out&based-on"


async def images_given(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The exam of a report that was issued some time ago has images that were handed out, or that an archive serves.

    How long ago is a number of the department's. An archive serves them where the ImagingStudy names its `endpoint`.
    """
    within = limit_on(look.at, look.desk.settings, _WITHIN)
    before = look.at - timedelta(hours=float(within.value))
    released = await released_here(look, counted)
    reports = [one async for one in look.spread(released) if _issued(one) <= before]
    exams = {request_of(one.stored.resource) async for one in look.spread(reports)} - {""}
    given = await _handed_out(look, exams)
    given |= await _served(look, exams - given)
    faults = [
        broken(
            one,
            "图像未登记交付，也无可调阅的来源",
            "no handing out of its images is on record, and no archive serves them",
            figure=within.id,
        )
        async for one in look.spread(reports)
        if request_of(one.stored.resource) not in given
    ]
    return Judged(faults, len(reports))


async def _handed_out(look: Look, exams: Collection[str]) -> set[str]:
    return {
        reference_of(exam)
        async for one in look.spread(await look.each(_ON_RECORD, exams))
        if one.stored.resource.get("status") == "completed"
        for exam in one.stored.resource.get("basedOn", [])
    }


async def _served(look: Look, exams: Collection[str]) -> set[str]:
    """Those of whose images an archive says where they are."""
    found = set()
    async for study in look.spread(await look.copies("ImagingStudy?basedon", exams)):
        if study.resource.get("endpoint") or any(one.get("endpoint") for one in study.resource.get("series", [])):
            found |= {reference_of(exam) for exam in study.resource.get("basedOn", [])}
    return found


def _issued(one: Evidence) -> datetime:
    return datetime.fromisoformat(one.stored.resource["issued"])

"""`Task/$priors`: the images to be read and what was examined before, each study with its link to the viewer; nothing is stored."""

from __future__ import annotations

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Call, Changes, Desk

from slipring_report.handlers.claims import reading_called
from slipring_report.reading import reference_of
from slipring_report.visibility import believed
from slipring_report.worklist.priors import as_parts, examinations


async def priors_asked(call: Call, desk: Desk) -> Changes:
    """Everything of this person that others may see, also under records that were merged; drafts are nobody's priors."""
    task = reading_called(call).resource
    patient, request = reference_of(task.get("for")), reference_of(task.get("focus"))
    people = any_of(await merge_set(patient, desk)) if patient else ""
    searches = [f"ImagingStudy?subject={people}", f"DiagnosticReport?subject={people}"] if people else []
    found = await desk.searches(searches) if searches else [[], []]
    reports = [one.resource for one in found[1] if believed(one.resource)]
    every = examinations([one.resource for one in found[0]], reports)
    template = desk.settings.viewer
    parts = [as_parts("current" if one.request == request else "prior", one, template) for one in every]
    return Changes(
        answer={"resourceType": "Parameters", "parameter": parts} if parts else {"resourceType": "Parameters"}
    )

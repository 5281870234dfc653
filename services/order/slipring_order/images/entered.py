"""An ImagingStudy that archive or HIS enter by FHIR is held against its order like the headers a scanner sends."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource, Save, Stored

from slipring_order.images.comparing import compared
from slipring_order.images.exam import patient_of, request_of
from slipring_order.images.reading import header_of_study
from slipring_order.reading import reference_of
from slipring_order.rules import IMAGE_RULES
from slipring_order.rules.image_accession import carries_the_imaging_number


async def study_compared(study: Resource, requests: Sequence[Stored], desk: Desk) -> list[Save]:
    """The differences between a study and the exams it says it is of, or those its number and UID lead to."""
    subject = await patient_of(study, desk)
    image = header_of_study(study, subject)
    named = list(requests)
    if not named and (found := await request_of(image.study_uid, image.accession, desk)):
        named = [found]
    # A study that names its request needs no number to be tied to it; one that has a number has the right one.
    rules = IMAGE_RULES if image.accession else [each for each in IMAGE_RULES if each is not carries_the_imaging_number]
    saves: list[Save] = []
    for request in named:
        ordered, shown = reference_of(request.resource.get("subject")), reference_of(study.get("subject"))
        other = bool(ordered and shown) and shown not in await merge_set(ordered, desk)
        saves += await compared(image, request, f"ImagingStudy/{study['id']}", desk, other_patient=other, rules=rules)
    return saves

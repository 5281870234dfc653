"""Images of the wrong part stop the report until a named person has settled it (CNAS-CL02-A011 5.6.2.3, 5.5.1.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.department import Department
from tests.support.one_exam import one_exam, rules, texts

_DCM = "http://dicom.nema.org/resources/ontology/DCM"


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.clause("5.5.1.1")
async def test_images_of_another_part_stop_the_signature_until_a_radiologist_settles_it(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    report = await story.drafted()
    await story.made(
        {
            "resourceType": "ImagingStudy",
            "status": "available",
            "subject": {"reference": f"Patient/{story.cast.patient['id']}"},
            "basedOn": [{"reference": story.cast.exam}],
            "series": [{"uid": "1.2.3", "modality": {"system": _DCM, "code": "CT"}, "bodySite": {"code": "HEAD"}}],
        }
    )
    await department.settle()
    found = await department.found(f"DetectedIssue?implicated={story.cast.exam}")
    [issue] = [each for each in found if each["code"]["coding"][0]["code"] == "order.image-body-part"]
    assert issue["severity"] == "high"

    refused = await story.signed(report, await story.jws(report, "first reader", "author"), "author")
    assert refused.status_code == 422 and rules(refused) == {"report.images-match-order"}, texts(refused)
    assert f"DetectedIssue/{issue['id']}" in refused.text

    issue["mitigation"] = [{"action": {"text": "localizer of the head, the chest was scanned"}}]
    unnamed = await department.put(issue)
    assert unnamed.status_code == 422, unnamed.text
    issue["mitigation"][0]["author"] = {"reference": story.cast.person("requester")["reference"]}
    assert (await department.put(issue)).status_code == 403
    issue["mitigation"][0]["author"] = {"reference": story.cast.person("second reader")["reference"]}
    settled = await department.put(issue)
    assert settled.status_code == 200, settled.text
    await department.settle()
    await department.fresh()
    department.clock.advance(timedelta(minutes=1))  # no pulse can have come: another finding may be on its way
    jws = await story.jws(report, "first reader", "author")
    behind = await story.signed(report, jws, "author")
    assert behind.status_code == 503 and behind.headers["Retry-After"], behind.text
    await department.fresh()
    signed = await story.signed(report, jws, "author")
    assert signed.is_success, signed.text

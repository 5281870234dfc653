"""Requests, images and reports are kept: nobody deletes them, every version stays readable (5.7.2)."""

from __future__ import annotations

import pytest
from slipring.signing.jws import jws_sha256

from tests.support.department import Department
from tests.support.one_exam import one_exam, rules


@pytest.mark.clause("5.7.2")
async def test_request_study_and_released_report_outlast_every_attempt_to_delete_them(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    study = await story.made(
        {"resourceType": "ImagingStudy", "status": "available", "subject": story.cast.subject, "basedOn": [{"reference": story.cast.exam}]}
    )  # fmt: skip
    report = await story.drafted()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await department.settle()
    tree = await department.get(report)
    text = tree["extension"][0]["valueReference"]["reference"]
    signatures = [f"Provenance/{one['id']}" for one in await department.found(f"Provenance?target={report}")]
    assert len(signatures) == 2
    kept = [story.cast.exam, f"ImagingStudy/{study['id']}", report, text, *signatures]
    before = {one: await department.get(one) for one in kept}
    for one in kept:
        refused = await department.his.delete(f"/fhir/{one}")
        assert refused.status_code == 409 and rules(refused) == {"kernel.record-is-kept"}, (one, refused.text)
        assert await department.get(one) == before[one]
    assert (await department.his.delete(f"/fhir/DiagnosticReport?based-on={story.cast.exam}")).status_code in (409, 412)
    several = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": report}}],
    }
    assert (await department.post("", several)).status_code == 409
    versions = int(tree["meta"]["versionId"])
    told = [await department.get(f"{report}/_history/{number}") for number in range(1, versions + 1)]
    assert [one["status"] for one in told] == ["partial", "preliminary", "final"], "every version stays readable"
    assert await department.found(f"DiagnosticReport?based-on={story.cast.exam}") == [tree], "and is found"

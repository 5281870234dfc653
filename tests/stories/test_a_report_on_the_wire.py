"""A report as IHE IMR sends it (RAD-141): one transaction, updated with If-Match; a prior comes in as history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring_demo.reading import a_draft
from slipring_demo.story import made_by

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]


@pytest.fixture(scope="module")
async def story(department: Department) -> AsyncIterator[OneExam]:
    """An exam that is asked for."""
    made = await one_exam(department)
    await made.requested()
    yield made


def the_bundle(story: OneExam, **members: Any) -> Tree:
    bundle = a_draft(story.cast)
    bundle["entry"][0]["resource"] |= members
    return bundle


async def test_report_text_and_study_go_in_one_transaction_or_not_at_all(story: OneExam) -> None:
    department = story.department
    study = await story.made(
        {
            "resourceType": "ImagingStudy",
            "status": "available",
            "subject": story.cast.subject,
            "basedOn": [{"reference": story.cast.exam}],
        }
    )
    named = [{"reference": f"ImagingStudy/{study['id']}"}]
    made = await department.post("", the_bundle(story, imagingStudy=named))
    assert made.status_code == 200, made.text
    report = await department.get(made_by(made.json())[0])
    text = report["extension"][0]["valueReference"]["reference"]
    assert report["imagingStudy"] == named and (await department.get(text))["section"]
    before = len(await department.found("Composition?_count=500"))
    carried = the_bundle(story)
    carried["entry"].append(
        {
            "resource": {k: v for k, v in study.items() if k not in ("id", "meta")},
            "request": {"method": "POST", "url": "ImagingStudy"},
        }
    )
    refused = await department.post("", carried)
    said = {one["expression"][0]: one["diagnostics"] for one in refused.json()["issue"]}
    assert refused.status_code == 422, "a study is referred to, by its keeper's reference"
    assert "order keeps Bundle.entry[2] (ImagingStudy)" in said["Bundle.entry[2]"], refused.text
    for spoilt in ({"issued": "2026-01-01T00:00:00Z"}, {"status": "final"}):
        refused = await department.post("", the_bundle(story, **spoilt))
        assert refused.status_code == 422, refused.text
    assert len(await department.found("Composition?_count=500")) == before, "nothing is half stored"


async def test_both_are_updated_in_one_transaction_with_if_match(story: OneExam) -> None:
    department = story.department
    report = await department.get(await story.drafted())
    text = await department.get(report["extension"][0]["valueReference"]["reference"])

    def update(report_version: str, text_version: str, **changed: Any) -> Tree:
        pairs = ((report | changed, report_version), (text | {"title": "CT"}, text_version))
        entries = [
            {
                "resource": tree,
                "request": {"method": "PUT", "url": f"{tree['resourceType']}/{tree['id']}"}
                | ({"ifMatch": f'W/"{version}"'} if version else {}),
            }
            for tree, version in pairs
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    bare = await department.post("", update("", ""))
    assert bare.status_code == 428, bare.text
    done = await department.post("", update("1", "1", conclusion="Embolism."))
    assert done.status_code == 200, done.text
    stale = await department.post("", update("2", "1", conclusion="None."))
    assert stale.status_code == 412, stale.text
    assert (await department.get(f"DiagnosticReport/{report['id']}"))["conclusion"] == "Embolism.", "neither was taken"


async def test_a_prior_comes_in_as_history_keeps_its_status_and_never_counts_as_ours(story: OneExam) -> None:
    department = story.department
    prior = the_bundle(story, status="final", conclusion="No embolism, elsewhere.")
    refused = await department.post("", prior)
    assert refused.status_code == 422 and rules(refused) == {"report.status-by-signatures"}, refused.text
    async with department.client(DEMO_DEPARTMENT, LOADING) as loading:
        made = await department.post("", prior, loading)
    assert made.status_code == 200, made.text
    report = await department.get(made_by(made.json())[0])
    assert report["status"] == "final" and "presentedForm" not in report
    assert "imported" in [tag["code"] for tag in report["meta"]["tag"]]
    written = await department.put(report | {"conclusion": "x"}, If_Match=f'W/"{report["meta"]["versionId"]}"')
    assert written.status_code == 409 and rules(written) == {"report.made-elsewhere"}, written.text
    verified = await story.called(f"DiagnosticReport/{report['id']}/$verify")
    assert verified["parameter"][0]["valueBoolean"] is False, "nobody has signed it here"

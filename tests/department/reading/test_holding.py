"""The editor says who has the case, keeps it while somebody works, says when it was lost, and leads to the images."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from slipring.runtime.clock import utc_now

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes
from tests.support.server import Server

_UID = "1.2.826.0.1.3680043.10.543"


def a_study(patient: dict[str, Any], number: int, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{_UID}.{number}"}],
        "subject": {"reference": f"Patient/{patient['id']}"},
        "started": utc_now().isoformat(timespec="seconds"),
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
        **members,
    }


def lease_of(http: httpx.Client, exam: str) -> tuple[str, str]:
    """Who has the case of an exam, and until when."""
    [task] = until_found(http, f"Task?code=reading&focus=ServiceRequest/{exam}")
    told = [one.get("valueInstant", "") for one in task.get("input", []) if "lease-until" in str(one["type"])]
    return task.get("owner", {}).get("reference", ""), next(iter(told), "")


def drawn_anew(page: Page) -> None:
    """Let an open list draw itself once more."""
    page.get_by_role("main").evaluate("main => main.querySelector('[data-live] li').setAttribute('data-old', '')")
    for _ in range(10):
        page.clock.run_for(20_000)
        if not page.locator("[data-old]").count():
            return
    expect(page.locator("[data-old]")).to_have_count(0)


@pytest.mark.clause("5.6.1")
def test_a_case_is_kept_while_somebody_works_and_he_is_told_when_it_was_taken_over(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = acquired("楝")
    page = enter("author", f"/reading/exams/{exam}", "en")
    page.get_by_role("button", name="Take in hand").press("Enter")
    expect(page.get_by_text("● in your hands")).to_be_visible()
    [task] = until_found(department, f"Task?code=reading&focus=ServiceRequest/{exam}")
    short = {"resourceType": "Parameters", "parameter": [{"name": "minutes", "valueInteger": 2}]}
    short["parameter"].append({"name": "by", "valueReference": {"reference": morning.staff["first reader"]}})  # type: ignore[attr-defined]
    department.post(f"/fhir/Task/{task['id']}/$renew", json=short).raise_for_status()
    before = lease_of(department, exam)[1]
    page.clock.install()
    page.reload()
    page.get_by_role("textbox", name="Findings", exact=True).fill("Lungs clear.")
    with page.expect_response(re.compile("/held$")):
        page.clock.fast_forward(70_000)
    expect(page.get_by_text("● in your hands")).to_be_visible()
    assert lease_of(department, exam)[1] > before, "kept, because somebody works"
    looked_at(page, "held-mine-en")

    hers = enter("reader", "/reading", "zh")
    hers.clock.install()
    hers.reload()
    row = hers.get_by_role("main").get_by_role("listitem").filter(has_text="楝虚构")
    row.get_by_text("接管").first.press("Enter")
    row.get_by_role("textbox", name="接管理由").fill("急诊会诊")
    row.get_by_role("textbox", name="接管理由").press("Tab")
    drawn_anew(hers)
    expect(row.get_by_role("textbox", name="接管理由")).to_have_value("急诊会诊")
    expect(row.get_by_role("button", name=re.compile("从.*接管"))).to_be_focused()
    row.get_by_role("button", name=re.compile("从.*接管")).press("Enter")
    expect(hers.get_by_text("● 由您领取")).to_be_visible()
    page.get_by_role("textbox", name="Findings", exact=True).fill("Lungs clear. Nothing else.")
    with page.expect_response(re.compile("/held$")):
        page.clock.fast_forward(70_000)
    expect(page.get_by_role("alert").filter(has_text="This case was taken over by 方示例")).to_be_visible()
    expect(page.get_by_role("textbox", name="Findings", exact=True)).to_have_value("Lungs clear. Nothing else.")
    assert lease_of(department, exam)[0] == morning.staff["second reader"], "asking takes nothing from anybody"
    looked_at(page, "held-lost-en")
    hers.get_by_role("button", name="退回").press("Enter")
    expect(hers).to_have_url(re.compile("/reading$"))
    assert lease_of(department, exam)[0] == ""


@pytest.mark.clause("5.8.1")
def test_the_images_of_the_exam_and_of_those_before_open_in_the_viewer(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam, who = acquired("楠"), "楠"
    with served.client() as http:
        patient = morning.patients[who]
        of_this = a_study(patient, 1, basedOn=[{"reference": f"ServiceRequest/{exam}"}], description="Chest")
        http.post("/fhir/ImagingStudy", json=of_this).raise_for_status()
        before = a_study(patient, 2, started="2020-01-02T03:04:05+08:00", description="Chest of then")
        http.post("/fhir/ImagingStudy", json=before).raise_for_status()
    until_found(department, f"ImagingStudy?patient=Patient/{patient['id']}&started=2020")
    page = enter("author", f"/reading/exams/{exam}", "zh")
    now = page.get_by_role("region", name="本次检查的图像").get_by_role("link")
    expect(now).to_have_attribute("href", f"https://viewer.example/open?study={_UID}.1")
    expect(now).to_have_attribute("rel", "noopener noreferrer")
    earlier = page.get_by_role("region", name="既往检查")
    expect(earlier).to_contain_text("2020-01-02")
    expect(earlier.get_by_role("link")).to_have_attribute("href", f"https://viewer.example/open?study={_UID}.2")
    looked_at(page, "editor-images-zh")

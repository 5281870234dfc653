"""The ward doctor's own patients on a phone: state, preparation, what rings, and the report once it is released, never before."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect
from slipring_demo.teller import parameters

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes, released
from tests.support.server import Server


@pytest.mark.clause("5.7.1")
@pytest.mark.clause("5.4.4.2")
def test_a_ward_doctor_sees_his_patients_and_a_report_only_once_it_is_released(
    served: Server, morning: Morning, comes: Comes, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    comes("柘")
    done, drafted = acquired("桢"), acquired("梓")
    report = released(department, served, morning, done, "No nodule. 未见结节。")
    draft = department.post(
        "/fhir/DiagnosticReport", json=a_draft(morning, drafted), headers={"Prefer": "return=representation"}
    ).json()
    finding = {"system": "https://slipring.example/fhir/CodeSystem/critical-finding", "code": "CV-CT-06"}
    flag = parameters(finding=("Coding", finding))
    department.post(f"/fhir/DiagnosticReport/{draft['id']}/$flag-critical", json=flag).raise_for_status()
    until_found(department, f"Task?code=critical-case&patient={draft['subject']['reference']}")

    page = enter("doctor", "/ward", "zh", "phone")
    cards = page.get_by_role("region")
    expect(cards.first).to_contain_text("梓虚构")  # what rings stands first
    expect(cards.first).to_contain_text("肺栓塞")
    expect(cards.first).to_contain_text("报告尚未发布")
    expect(cards.filter(has_text="柘虚构").get_by_role("link", name="患者如何准备")).to_be_visible()
    looked_at(page, "ward-zh-phone")
    assert "not for the ward yet" not in page.content()
    cards.filter(has_text="桢虚构").get_by_role("link", name="查看报告").click()
    expect(page.get_by_role("region", name="发布的报告")).to_contain_text("未见结节")
    looked_at(page, "ward-report-zh-phone")
    assert page.request.get(f"/ward/reports/{report}").status == 200
    assert page.request.get(f"/ward/reports/{draft['id']}").status in (403, 404)
    nurse = enter("ward", "/department", "en", "phone")
    expect(
        nurse.get_by_role("navigation", name="Department").get_by_role("link", name="My patients' CT")
    ).to_have_count(0)


def a_draft(morning: Morning, exam: str) -> dict[str, object]:
    return {
        "resourceType": "DiagnosticReport",
        "status": "partial",
        "basedOn": [{"reference": f"ServiceRequest/{exam}"}],
        "code": {"text": "CT chest"},
        "subject": {"reference": f"Patient/{morning.patients['梓']['id']}"},
        "conclusion": "not for the ward yet",
    }

"""After a failed test the exams since the last good one are handed out on the board, and each is concluded on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from slipring.runtime.clock import utc_now
from slipring_demo.cast import SYNTHETIC, C
from slipring_demo.ordering import identity_confirmed
from slipring_demo.scene import Cast

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, a_patient, order, posted
from tests.department.qc.conftest import OUT_OF_SERVICE, Watched, a_round
from tests.support.server import Server


@pytest.mark.clause("4.9", "5.6.2.3")
def test_exams_in_doubt_are_handed_out_and_concluded(
    served: Server, morning: Morning, tested: Watched, enter: Enter
) -> None:
    with served.client() as http:
        device: dict[str, Any] = {
            "resourceType": "Device", "meta": SYNTHETIC, "status": "active",
            "deviceName": [{"name": "CT 质控 12", "type": "user-friendly-name"}],
            "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
        }  # fmt: skip
        watched = Watched(str(posted(http, device)["id"]), "CT 质控 12", tested.tester, tested.approver)
        a_round(http, watched, 30, "acceptance", water=0.1)
        who = "疑"
        morning.patients[who] = posted(http, a_patient(who, "1961-02-03", "female"))
        request = order(http, morning, who, "30799-1", "CT head", "69536005", "Head")
        asked = f"Task?code=exam&focus=ServiceRequest/{request['id']}"
        cast = Cast(staff=morning.staff, hospital="", ward="", patient=morning.patients[who], request=request)
        start = utc_now() + timedelta(minutes=1)
        period = {"start": start.isoformat(), "end": (start + timedelta(minutes=15)).isoformat()}
        for state in ("scheduled", "arrived", "ready", "in-progress", "acquired"):
            [task] = until_found(http, asked)
            if state == "scheduled":
                given = [
                    {"name": "scanner", "valueReference": {"reference": f"Device/{watched.id}"}},
                    {"name": "period", "valuePeriod": period},
                ]
                said = http.post(
                    f"/fhir/Task/{task['id']}/$schedule", json={"resourceType": "Parameters", "parameter": given}
                )
                assert said.status_code == 200, said.text
            elif state == "ready":
                http.post(f"/fhir/Task/{task['id']}/$check", json=identity_confirmed(cast)).raise_for_status()
            else:
                task["businessStatus"] = {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": state}]}
                answer = http.put(f"/fhir/Task/{task['id']}", json=task)
                assert answer.status_code == 200, (state, answer.text)
        known = http.get(f"/fhir/Device/{watched.id}").json()
        closed = http.put(f"/fhir/Device/{watched.id}", json=known | {"extension": [OUT_OF_SERVICE]})
        assert closed.status_code == 200, closed.text  # nobody else is to be booked on it
        a_round(http, watched, 0, "constancy", water=9.0)
    page = enter("chief", "/department/qc", "en", "desktop")
    page.locator(f"section[aria-labelledby=s-{watched.id}]").get_by_role("link", name="Exams made while").click()
    expect(page.get_by_role("status")).to_contain_text("1 exams in doubt: 0 handed out")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CT number of water")
    looked_at(page, "qc-failure")
    page.get_by_role("button", name="Have 1 exams looked at").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 handed out, 0 concluded")
    page.get_by_role("link", name="Look at exam").click()
    page.get_by_role("radio", name="The report is to be amended").check()
    page.get_by_role("button", name="Conclude", exact=True).click()
    expect(page.locator("#note-problem")).to_be_visible()
    looked_at(page, "qc-look-why")
    page.get_by_role("radio", name="The report is to be amended").check()
    page.get_by_label("What is to be done").fill("densities are not to be relied on")
    page.get_by_role("button", name="Conclude", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The report is to be amended")
    phone = enter("chief", page.url.removeprefix(page.url.split("/department")[0]), "zh", "phone")
    looked_at(phone, "qc-look-zh")

"""What began before a day and lasts into it stands on that day, with the date of its beginning."""

from __future__ import annotations

import httpx
from slipring.runtime.clock import utc_now

from tests.department.morning import PASSWORD, Morning
from tests.people.conftest import token_in
from tests.support.server import Server


def test_a_block_of_days_is_shown_on_each_day_that_it_takes(served: Server, morning: Morning) -> None:
    year = utc_now().year + 1
    block = {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "start": f"{year}-03-02T20:00:00+08:00",
        "end": f"{year}-03-06T20:00:00+08:00",
        "description": "tube change",
        "participant": [{"actor": {"reference": f"Device/{morning.scanners['CT 2']['id']}"}, "status": "accepted"}],
    }
    with served.client() as http:
        made = http.post("/fhir/Appointment", json=block, headers={"Prefer": "return=representation"})
        assert made.status_code == 201, made.text
    try:
        with httpx.Client(
            base_url=morning.url, headers={"accept-language": "en"}, timeout=60, trust_env=False
        ) as browser:
            form = token_in(browser.get("/auth/sign-in").text)
            browser.post("/auth/sign-in", data={"form_token": form, "name": "tech", "password": PASSWORD})
            for page in ("day", "worklist"):
                shown = {day: browser.get(f"/department/{page}?on={year}-03-{day:02d}").text for day in (1, 2, 4, 6, 7)}
                assert [day for day, text in shown.items() if "tube change" in text] == [2, 4, 6], page
                assert f"2 Mar {year}" in shown[4] and f"6 Mar {year}" in shown[4], "which days its times are of"
                assert f"2 Mar {year}" not in shown[2] and "20:00" in shown[2]
    finally:
        with served.client() as http:
            http.delete(f"/fhir/Appointment/{made.json()['id']}")

"""What waits past its time stands first on the worklist and says so; an open screen is cleared when nobody uses it."""

from __future__ import annotations

from datetime import timedelta

from tests.department.morning import a_patient, a_request
from tests.people.conftest import Staff, send


async def test_a_stat_patient_who_waits_too_long_stands_first_and_says_how_late(staff: Staff) -> None:
    department = staff.department
    patient = (await department.post("Patient", a_patient("孙", "1950-09-10", "male"))).json()
    subject, requester = f"Patient/{patient['id']}", staff.people["requester"]
    head = ("30799-1", "CT head", "69536005", "Head")
    request = a_request(subject, requester, *head, at=department.clock.now())
    request["priority"] = "stat"
    made = await department.post("ServiceRequest", request)
    assert made.status_code == 201, made.text
    address = f"/department/reception/{made.json()['id']}"
    desk = await staff.signed_in("nurse", name="late-desk", roles=["receptionist"])
    shown = await desk.get(address)
    assert "1950-09-10" not in shown.text and patient["identifier"][0]["value"] not in shown.text, "asked, not read out"
    refused = await send(desk, address, address, birth_date="1950-09-11")
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.text
    received = await send(desk, address, address, identifier=patient["identifier"][0]["value"], name="孙虚构")
    assert (received.status_code, received.headers["location"]) == (303, f"{address}/slip")
    register = (await desk.get("/department/reception")).text
    assert "Register of arrivals" in register and "孙虚构" in register
    department.clock.advance(timedelta(hours=3))
    reader = await staff.signed_in("second reader", name="late-reader", roles=["radiologist-d"])
    worklist = await reader.get("/department/requests")
    rows = worklist.text.split('<li class="exam')
    assert "孙虚构" in rows[1] and "overdue by" in rows[1] and "2 h" in rows[1]
    said = "of the exams listed wait past their time"
    assert said in worklist.text
    assert said not in (await reader.get("/department/requests?state=all")).text, "there the newest stand first"
    list_of = "/department/requests"
    found = await send(reader, list_of, list_of, text=patient["identifier"][0]["value"])
    assert "overdue by" in found.text and f"1 {said}" in found.text
    nobody = await send(reader, list_of, list_of, text="CT20990101000001")
    assert nobody.status_code == 200 and said not in nobody.text
    assert worklist.headers["refresh"] == "1801; url=/auth/locked?to=/department/requests"
    over = await desk.get("/department/reception")
    assert over.headers["location"].startswith("/auth/sign-in"), "three hours without use"

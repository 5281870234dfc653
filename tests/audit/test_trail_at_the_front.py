"""The trail of the whole house at one address: every service's rows and the front's own."""

from __future__ import annotations

import asyncpg
from slipring.identity.people.recording import record
from slipring.runtime.postgres import ensure_running

from tests.support.department import Department


async def test_the_front_merges_the_trails_of_all_services_and_its_own(department: Department) -> None:
    patient = (await department.post("Patient", {"resourceType": "Patient", "gender": "other"})).json()["id"]
    order = department.house.services["order"].kernel.store
    front = f'"{order.schema.removesuffix("order")}front"'
    connection = await asyncpg.connect(ensure_running(department.data_dir), server_settings={"search_path": front})
    await record(connection, "sign-in-refused", "", department.clock.now(), outcome=401)
    await connection.close()
    for query in (f"Patient/{patient}", "Consent?_count=1", "Composition?_count=1", "Communication?_count=1"):
        await department.get(query)

    async with department.client("demo-his", "system/AuditEvent.rs") as auditor:
        answer = await auditor.get("/fhir/AuditEvent?_sort=date&_count=1000&_total=accurate")
        assert answer.status_code == 200, answer.text
        events = [entry["resource"] for entry in answer.json()["entry"]]
        times = [event["recorded"] for event in events]
        assert times == sorted(times)
        assert {event["source"]["site"] for event in events} == {"front", "order", "report", "consent", "critical"}
        assert len({event["id"] for event in events}) == len(events)
        refused = [event for event in events if event["type"]["code"] == "110114"]
        assert [(event["id"][0], event["outcome"], event["subtype"][0]["code"]) for event in refused] == [
            ("f", "4", "110122")
        ]
        for event in (events[0], refused[0]):
            alone = await auditor.get(f"/fhir/AuditEvent/{event['id']}")
            assert alone.json() == event
        written = await auditor.post(
            "/fhir/AuditEvent", json=refused[0], headers={"Content-Type": "application/fhir+json"}
        )
        assert written.status_code == 405, written.text
    async with department.client("demo-his", "system/*.cruds") as everything_else:
        assert (await everything_else.get("/fhir/AuditEvent")).status_code == 403


async def test_the_front_lists_every_key_that_seals(department: Department) -> None:
    keys = (await department.his.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["service"] for key in keys} == {"front", "order", "consent", "report", "critical"}
    assert all("d" not in key and key["kid"] and key["since"] for key in keys)
    own = (await department.his.get("/order/.well-known/jwks.json")).json()["keys"]
    assert [key for key in keys if key["service"] == "order"] == own

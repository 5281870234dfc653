"""`/metrics` of every service and of the front: what was done is counted, and no label holds what a caller wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from slipring_critical.ladders.choosing import default_ladder

from tests.fhir.conftest import small_service
from tests.fhir.place import a_patient, a_task, opened
from tests.support.department import Department
from tests.watch.scraping import names, scraped, value

SERVICES = ("order", "consent", "report", "critical")


async def test_each_application_of_a_process_counts_its_own_requests(department: Department) -> None:
    before = {name: await scraped(department.his, f"/{name}/metrics") for name in SERVICES}
    front = await scraped(department.his, "/metrics")
    made = await department.post("Patient", a_patient())
    assert made.status_code == 201
    assert (await department.his.get(f"/fhir/Patient/{made.json()['id']}")).status_code == 200
    after = {name: await scraped(department.his, f"/{name}/metrics") for name in SERVICES}
    created = {"interaction": "create", "type": "Patient", "status": "2xx", "method": "POST"}
    grown = {n: value(after[n], "slipring_requests_total", **created) for n in SERVICES}
    old = {n: value(before[n], "slipring_requests_total", **created) for n in SERVICES}
    assert {n: grown[n] - old[n] for n in SERVICES} == {"order": 1, "consent": 0, "report": 0, "critical": 0}
    now = await scraped(department.his, "/metrics")
    for interaction in ("create", "read"):
        told = {"interaction": interaction, "type": "Patient", "status": "2xx"}
        assert value(now, "slipring_requests_total", **told) == value(front, "slipring_requests_total", **told) + 1, (
            interaction
        )
    assert value(after["order"], "slipring_request_seconds_count", interaction="create") >= 1
    assert value(after["order"], "slipring_database_statement_seconds_count") > value(
        before["order"], "slipring_database_statement_seconds_count"
    )


async def test_no_label_holds_what_a_caller_wrote_however_strange_the_request(department: Department) -> None:
    mark = "Zhangsan"
    strange = [
        ("GET", f"/fhir/Patient/{mark}"), ("GET", f"/fhir/{mark}"), ("GET", f"/fhir/{mark}/1"), ("GET", f"/{mark}"),
        ("GET", f"/order/{mark}"), ("GET", f"/order/fhir/{mark}/{mark}/{mark}/{mark}/{mark}"),
        ("POST", f"/fhir/Patient/1/${mark.lower()}"), ("GET", f"/fhir/Patient/1/_history/{mark}"),
        (mark.upper(), "/order/fhir/Patient"), ("GET", f"/order/fhir/Patient?name={mark}"), ("GET", "/order/fhir/é"),
    ]  # fmt: skip
    for method, path in strange:
        assert (await department.his.request(method, path)).status_code < 500, path
    for place in ("", *(f"/{name}" for name in SERVICES)):
        text = (await department.his.get(f"{place}/metrics")).text
        assert mark.lower() not in text.lower()
    found = await scraped(department.his, "/order/metrics")
    types = {dict(labels).get("type") for name, labels in found if name == "slipring_requests_total"}
    assert types <= {"", "other", *department.house.services["order"].kernel.held}


async def test_the_engine_shows_in_figures(data_dir: Path) -> None:
    """A subscriber that refuses content, one that is away; timers and copies; ids of subscriptions only."""

    def outside(request: httpx.Request) -> httpx.Response:
        if "parks" in str(request.url):
            return httpx.Response(422)
        raise httpx.ConnectError("nobody there")

    async with opened(data_dir, small_service(), outside=outside) as street:
        place = street["order"]
        parks, away = [
            await place.make(
                {
                    "resourceType": "Subscription", "status": "requested", "criteria": "Task", "reason": "test",
                    "channel": {"type": "rest-hook", "endpoint": f"http://10.9.9.9/{name}", "payload": "application/fhir+json"},
                }
            )
            for name in ("parks", "away")
        ]  # fmt: skip
        await place.running.start()
        await place.make(a_task())

        async def shown() -> bool:
            found = await scraped(place.client, "/order/metrics")
            return (
                value(found, "slipring_deliveries_parked", subscription=parks["id"]) == 1
                and value(found, "slipring_deliveries_waiting", subscription=away["id"]) == 1
                and value(found, "slipring_subscription_in_error", subscription=away["id"]) == 1
            )

        for _ in range(100):
            if await shown():
                break
            await asyncio.sleep(0.1)
        found = await scraped(place.client, "/order/metrics")
        assert await shown(), {k: v for k, v in found.items() if "deliver" in k[0]}
        assert value(found, "slipring_deliveries_sent_total", outcome="parked") == 1
        assert value(found, "slipring_deliveries_sent_total", outcome="unreachable") >= 1
        assert value(found, "slipring_delivery_oldest_seconds", subscription=away["id"]) > 0
        assert value(found, "slipring_fanout_lag_seconds_count") >= 1
        assert value(found, "slipring_database_up") == 1
        assert value(found, "slipring_worker_loop_age_seconds", loop="events") < 30
        assert ("slipring_database_pool_most", (("pool", "main"),)) in found
        assert "10.9.9.9" not in (await place.client.get("/order/metrics")).text


async def test_a_scrape_does_not_wait_for_a_database_that_is_away(data_dir: Path) -> None:
    async with opened(data_dir, small_service(), pool_size=2) as street:
        place = street["order"]
        await place.make(a_patient())
        first, second = await place.pool.acquire(), await place.pool.acquire()
        try:
            async with asyncio.timeout(10):
                found = await scraped(place.client, "/order/metrics")
        finally:
            await place.pool.release(first)
            await place.pool.release(second)
        assert value(found, "slipring_database_up") == 0
        assert "slipring_outbox_waiting" not in names(found)
        assert value(found, "slipring_requests_total", interaction="create") == 1
        assert value(await scraped(place.client, "/order/metrics"), "slipring_database_up") == 1


@pytest.mark.parametrize("place", ["", "/order"])
async def test_who_is_not_named_as_a_watcher_does_not_read_metrics(department: Department, place: str) -> None:
    transport = httpx.ASGITransport(app=department.house, client=("10.1.2.3", 4))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as stranger:
        assert (await stranger.get(f"{place}/metrics")).status_code == 403


async def test_a_refused_token_is_counted_by_its_reason(department: Department) -> None:
    transport = httpx.ASGITransport(app=department.house)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as nobody:
        before = await scraped(nobody, "/order/metrics")
        await nobody.get("/order/fhir/Patient/1")
        await nobody.get("/order/fhir/Patient/1", headers={"Authorization": "Bearer a.b.c"})
        after = await scraped(nobody, "/order/metrics")
        for reason in ("identity.bearer-token-needed", "identity.token-not-valid"):
            told = {"reason": reason}
            assert (
                value(after, "slipring_token_refusals_total", **told)
                == value(before, "slipring_token_refusals_total", **told) + 1
            )
        await nobody.post("/auth/token", data={"grant_type": "password"})
        found = await scraped(nobody, "/metrics")
        assert value(found, "slipring_token_refusals_total", reason="unsupported_grant_type") >= 1


async def test_an_open_case_whose_timer_is_gone_is_given_one_and_that_is_seen(department: Department) -> None:
    """Nothing but a hand at the database, or an import, can make one; it is seen, and rings all the same."""
    kernel = department.house.services["critical"].kernel
    ladder = default_ladder("1", with_fallback=False).snapshot()
    case = {
        "resourceType": "Task", "status": "requested", "intent": "order", "authoredOn": "2026-01-01T00:00:00Z",
        "extension": [{"url": "https://slipring.example/fhir/StructureDefinition/ladder-snapshot", "valueString": ladder}],
        "code": {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/task-code", "code": "critical-case"}]},
        "businessStatus": {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/case-state", "code": "notifying"}]},
    }  # fmt: skip
    before = await scraped(department.his, "/critical/metrics")
    assert value(before, "slipring_without_deadline", kind="open-case") == 0
    importer = department.client("demo-his", "system/*.cruds slipring/import")
    made = await department.post("Task", case, importer)
    assert made.status_code == 201, made.text
    mended: list[dict[str, object]] = []
    for _ in range(100):
        checks = (await department.his.get("/critical/health/engine")).json()["checks"]
        if mended := checks.get("deadline:mended", []):
            break
        await asyncio.sleep(0.1)
    assert [(one["componentId"], one["status"], one["observedValue"]) for one in mended] == [("open-case", "warn", 1)]
    armed = "SELECT count(*) FROM timer WHERE subject = $1"
    assert await kernel.store.pool.fetchval(armed, f"Task/{made.json()['id']}") >= 1
    await department.settle()
    events = str((await department.get(f"Task/{made.json()['id']}"))["extension"])
    assert "deadline-missing" in events and "'step'" in events
    await kernel.store.pool.execute("DELETE FROM timer WHERE subject = $1", f"Task/{made.json()['id']}")
    await kernel.store.pool.execute("UPDATE resource SET deleted = true WHERE id = $1", made.json()["id"])

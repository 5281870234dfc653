"""What the front lets through and what it does not: addresses, headers, sizes, services that are slow or away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from slipring.fhir.outcome import FhirError
from slipring.fhir.store.engine import open_pool
from slipring.front.app import PAGE_ROOMS, FrontSettings, create_front
from slipring.front.deciding import DecidingTable
from slipring.front.peers import Ask, Peers, Unanswered
from slipring.pages.frame import Pages
from slipring.runtime.postgres import ensure_running

from tests.front.hospital import IMPORTING, His, a_patient, a_task, fresh
from tests.support.department import Department


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.mark.parametrize(
    "path",
    [
        "Patient/..%2F..%2F..%2Fconsent%2Ffhir%2FConsent", "Patient/../../follows/x", "Patient/%2e%2e/%2e%2e/health/ready",
        "Patient/o-1%00", "Patient/o-1%3F_history", "Patient/%E5%BC%A0", "Patient/a%20b",  "Patient/" + "x" * 200,
        "Patient/o-1/_history/..", "%2e%2e/auth/token", "Patient/o-1;version=1", "Patient/o-1%0d%0aX-Evil:%201",
    ],
)  # fmt: skip
async def test_an_odd_address_leads_nowhere(his: His, path: str) -> None:
    for method in ("GET", "DELETE", "PUT"):
        request = his.http.build_request(method, "/fhir/x", json={} if method == "PUT" else None)
        request.url = request.url.copy_with(raw_path=f"/fhir/{path}".encode())
        answer = await his.http.send(request)
        assert answer.status_code in (400, 404, 405), (method, answer.text)
        assert "x-evil" not in answer.headers
        if answer.headers["content-type"].startswith("application/fhir+json"):
            issue = answer.json()["issue"][0]
            assert issue["details"]["text"] and issue["diagnostics"]


async def test_slashes_at_the_end_or_twice_mean_nothing(his: His) -> None:
    patient = await his.made(a_patient("Slash"))
    for path in (f"Patient/{patient['id']}/", f"/Patient//{patient['id']}"):
        assert (await his.http.get(f"/fhir/{path}")).status_code == 200, path
    for path in ("Patient/", "Task/", "Task/_history/", "metadata/", "_history/"):
        assert (await his.http.get(f"/fhir/{path}")).status_code == 200, path


async def test_a_parameter_given_twice_means_both(his: His) -> None:
    family, given = fresh("Twice"), fresh("Given")
    both = await his.made({"resourceType": "Patient", "name": [{"family": family, "given": [given]}]})
    await his.made(a_patient(family))
    assert await his.ids(f"Patient?name={family}&name={given}") == [both["id"]]
    task = await his.made(a_task("exam-note", identifier=[{"value": family}, {"value": given}]))
    await his.made(a_task("exam-note", identifier=[{"value": family}]))
    assert await his.ids(f"Task?identifier={family}&identifier={given}") == [task["id"]]


async def test_every_answer_carries_the_name_of_its_request(his: His) -> None:
    for path in ("Patient?name=x", "Task?status=ready", "Claim", "Task?shoe=1", "metadata", "_history?_count=1"):
        answer = await his.ask("GET", path, X_Request_Id="his-4711")
        assert answer.headers["x-request-id"] == "his-4711", path
        made = await his.ask("GET", path)
        assert len(made.headers["x-request-id"]) >= 16
    assert len((await his.ask("GET", "Patient", X_Request_Id="a" * 5000)).headers["x-request-id"]) <= 64


async def test_options_tells_what_an_address_takes(his: His) -> None:
    told = await his.ask("OPTIONS", "Task")
    assert (told.status_code, told.headers["allow"]) == (204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    assert told.headers["accept-patch"] == "application/json-patch+json"
    assert (await his.ask("OPTIONS", "Patient/1/_history")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await his.ask("OPTIONS", "nothing/like/that")).status_code == 404


async def test_the_fronts_own_refusals_speak_both_languages_and_point_somewhere(his: His) -> None:
    for method, path, body in (
        ("GET", "Task?_count=x", None),
        ("GET", "Task?_position=forged", None),
        (
            "POST",
            "",
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"request": {"method": "GET", "url": "Claim"}}],
            },
        ),
        ("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": a_patient("x")}]}),
    ):
        chinese = (await his.ask(method, path, body)).json()["issue"][0]
        english = (await his.ask(method, path, body, Accept_Language="en")).json()["issue"][0]
        assert chinese["details"]["text"] == english["diagnostics"] != english["details"]["text"]
        assert chinese["expression"]


async def test_no_address_of_a_service_leaves_the_front(his: His) -> None:
    patient = await his.made(a_patient("Address"))
    task = await his.made(a_task("observation"))
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "POST", "url": "Patient"}, "resource": a_patient("Address")},
            {"request": {"method": "GET", "url": "Task?_count=2"}},
            {"request": {"method": "GET", "url": f"Patient/{patient['id']}/_history"}},
        ],
    }
    answers = [
        await his.ask("POST", "Patient", a_patient("Address")),
        await his.ask("GET", f"Patient/{patient['id']}/_history"),
        await his.ask("GET", f"Task/{task['id']}/_history"),
        await his.ask("GET", "Patient?_count=1"),
        await his.ask("GET", "Task?_count=1"),
        await his.ask("GET", "metadata"),
        await his.ask("POST", "", batch),
    ]
    for answer in answers:
        told = answer.text + json.dumps(dict(answer.headers))
        for service in ("order", "consent", "report", "critical"):
            assert f"/{service}/fhir" not in told


# --- services that are slow, away or dead ---------------------------------------------------------------------------


class NobodyElse:
    @asynccontextmanager
    async def alone(self, conditions: Sequence[str]) -> AsyncIterator[None]:
        yield


async def no_keys() -> list[dict[str, Any]]:
    return []


@asynccontextmanager
async def front_over(department: Department, **others: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A front of its own over the department's services, some replaced by other ends of a wire."""
    inside = httpx.ASGITransport(app=department.house)
    peers = {
        name: httpx.AsyncClient(transport=others.get(name, inside), base_url="http://127.0.0.1:8100", timeout=0.3)
        for name in ("order", "consent", "report", "critical")
    }
    tokens: Any = None
    settings = FrontSettings(base_url="http://front", answer_seconds=0.5)
    app = create_front(
        peers,
        tokens,
        no_keys,
        Fernet.generate_key(),
        NobodyElse(),
        now=lambda: datetime.now(UTC),
        pages=Pages(b"forms", rooms=PAGE_ROOMS),
        settings=settings,
    )
    token = (await department.his.get("/fhir/Patient?_count=0")).request.headers["authorization"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://front", headers={"Authorization": token}
    ) as http:
        yield http
    for peer in peers.values():
        await peer.aclose()


@asynccontextmanager
async def silent() -> AsyncIterator[Moved]:
    """A service that takes connections and requests and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Moved(port)
    finally:
        server.close()


class Moved(httpx.AsyncHTTPTransport):
    """Real TCP to another port."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self.port)
        return await super().handle_async_request(request)


async def test_a_service_away_is_named_and_no_answer_is_silently_partial(department: Department) -> None:
    async with front_over(department, critical=Moved(1)) as front:
        for path in (
            "Task?status=ready",
            "Task?_sort=status",
            "_history",
            "Task/_history",
            "Communication?status=completed",
        ):
            answer = await front.get(f"/fhir/{path}")
            assert answer.status_code == 503, (path, answer.text)
            assert "critical" in answer.json()["issue"][0]["diagnostics"]
            assert int(answer.headers["retry-after"]) >= 1
            lenient = await front.get(f"/fhir/{path}", headers={"Prefer": "handling=lenient"})
            assert lenient.status_code == 503
        assert (await front.get("/fhir/Patient?_count=1")).status_code == 200
        assert (await front.get("/fhir/Observation?_count=1")).status_code == 200
        statement = (await front.get("/fhir/metadata")).json()
        assert "critical" in statement["implementation"]["description"]
        assert "CommunicationRequest" not in {each["type"] for each in statement["rest"][0]["resource"]}


async def test_a_service_that_never_answers_costs_a_bounded_time(department: Department) -> None:
    async with silent() as transport, front_over(department, report=transport) as front:
        began = asyncio.get_running_loop().time()
        read = await front.get("/fhir/DiagnosticReport/r-1")
        written = await front.post("/fhir/DiagnosticReport", json={"resourceType": "DiagnosticReport"})
        assert asyncio.get_running_loop().time() - began < 5
        assert (read.status_code, written.status_code) == (503, 503)
        assert "not known" in written.json()["issue"][0]["diagnostics"]  # it may have been stored
        assert "not known" not in read.json()["issue"][0]["diagnostics"]
        ready = await front.get("/health/ready")
        assert ready.json()["down"] == ["report"]


async def test_a_condition_whose_decision_got_lost_is_closed_until_its_end(department: Department) -> None:
    schema = department.house.services["order"].kernel.store.schema.removesuffix("order") + "front"
    pool = await open_pool(await asyncio.to_thread(ensure_running, department.data_dir), schema, size=3)
    try:
        deciding = DecidingTable(pool, held_seconds=0.6, patience_seconds=0.2)
        with pytest.raises(Unanswered):
            async with silent() as transport:
                peers = Peers(
                    {"report": httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=0.1)}
                )
                async with deciding.alone(["a condition"]):
                    await peers.ask("report", Ask("POST", "Task", {}, b"{}"))
        with pytest.raises(FhirError) as refused:
            async with deciding.alone(["a condition"]):
                raise AssertionError("nobody may decide it yet")
        assert refused.value.status == 503
        await asyncio.sleep(0.6)
        async with deciding.alone(["a condition", "another"]):
            assert await pool.fetchval("SELECT count(*) FROM deciding") == 2
        assert await pool.fetchval("SELECT count(*) FROM deciding") == 0
    finally:
        await pool.close()

"""The front over four fake services: who is asked, and what comes back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.fernet import Fernet
from slipring.fhir.service import CANONICAL
from slipring.front.app import PAGE_ROOMS, FrontSettings, create_front
from slipring.identity.token import TokenAnswer
from slipring.pages.frame import Pages

BASE = "http://front/fhir"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class FakeService:
    """Answers as a service does: base `http://<name>/<name>/fhir`, keyset pages by `_from`."""

    name: str
    holding: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)
    kept: bool = True

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:8101/{self.name}/fhir"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        self.asked.append(request)
        path = request.url.path.removeprefix(f"/{self.name}")
        if path == "/health/ready":
            return httpx.Response(200, json={})
        parts = path.removeprefix("/fhir").strip("/").split("/")
        if parts == ["metadata"]:
            return httpx.Response(200, json=self._statement())
        if parts == [""]:
            return self._bundle(request)
        if (request.method == "GET" and len(parts) == 1) or parts[-1] == "_search":
            return self._search(parts[0], request)
        if request.method == "GET":
            return self._read("/".join(parts[:2]))
        location = f"{self.base}/{parts[0]}/new/_history/1"
        return httpx.Response(201, content=request.content, headers={"Location": location, "ETag": 'W/"1"'})

    def _statement(self) -> dict[str, Any]:
        types = {"order": ["Patient", "Task"], "consent": ["Consent", "Task"]}.get(self.name, ["Task"])
        interactions = [{"code": "read"}] + ([{"code": "delete"}] if self.name == "order" else [])
        resources = [{"type": name, "interaction": interactions, "searchParam": [{"name": "code"}]} for name in types]
        return {"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "resource": resources}]}

    def _read(self, reference: str) -> httpx.Response:
        for resource in self.holding:
            if f"{resource['resourceType']}/{resource['id']}" == reference:
                return httpx.Response(200, json=resource)
        return httpx.Response(404, json={"resourceType": "OperationOutcome", "issue": []})

    def _bundle(self, request: httpx.Request) -> httpx.Response:
        bundle = json.loads(request.content)
        entries = [
            {"response": {"status": "201", "location": f"{self.base}/{e['request']['url']}/_history/1"}}
            for e in bundle["entry"]
        ]
        return httpx.Response(
            200, json={"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": entries}
        )

    def _search(self, kind: str, request: httpx.Request) -> httpx.Response:
        if not self.kept:
            return httpx.Response(404, json={"resourceType": "OperationOutcome", "issue": []})
        asked = parse_qs(request.url.query.decode() if request.method == "GET" else request.content.decode())
        count = int(asked.get("_count", ["20"])[0])
        sort = asked.get("_sort", ["id"])[0]
        found = [r for r in self.holding if r["resourceType"] == kind]
        found.sort(key=lambda r: r["id"] if sort == "id" else r["authoredOn"], reverse=sort.startswith("-"))
        total = len(found)
        if after := asked.get("_from"):
            position = next((i for i, r in enumerate(found) if r["id"] == after[0]), -1)
            found = found[position + 1 :]
        page = found[:count]
        links = [{"relation": "self", "url": f"{self.base}/{kind}"}]
        if count and len(found) > count:
            links.append(
                {"relation": "next", "url": f"{self.base}/{kind}?_from={page[-1]['id']}&_count={count}&_sort={sort}"}
            )
        entry = [{"fullUrl": f"{self.base}/{kind}/{r['id']}", "resource": r, "search": {"mode": "match"}} for r in page]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entry}
        return httpx.Response(200, json=bundle)


@dataclass
class RecordingTokens:
    """A token endpoint that only notes at which address it was asked."""

    issuer: str = "http://front"

    async def answer(self, form: Any, request_url: str) -> TokenAnswer:
        return TokenAnswer(200, {"asked_at": request_url, **form})


class NobodyElse:
    """The only process there is: whoever asks decides."""

    @asynccontextmanager
    async def alone(self, conditions: Sequence[str]) -> AsyncIterator[None]:
        yield


Services = dict[str, FakeService]


@pytest.fixture
def services() -> Services:
    return {name: FakeService(name) for name in ("order", "consent", "report", "critical")}


@pytest.fixture
async def front(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    clients = {
        name: httpx.AsyncClient(transport=httpx.MockTransport(service), base_url=f"http://{name}")
        for name, service in services.items()
    }

    async def keys() -> list[dict[str, Any]]:
        return [{"kid": "k"}]

    tokens = RecordingTokens()
    settings = FrontSettings(base_url="http://front", demo=True, max_body_bytes=100_000, max_entries=50)
    app = create_front(
        clients,
        tokens,
        keys,
        Fernet.generate_key(),
        NobodyElse(),
        now=lambda: NOW,
        pages=Pages(b"forms", demo=True, rooms=PAGE_ROOMS),
        settings=settings,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://front") as http:
        yield http


def asked(services: Services) -> list[str]:
    return [name for name, service in services.items() if service.asked]


def task(number: int, letter: str = "o", code: str = "exam") -> dict[str, Any]:
    coding = {"system": f"{CANONICAL}/CodeSystem/task-code", "code": code}
    return {
        "resourceType": "Task",
        "id": f"{letter}-{number:03}",
        "authoredOn": f"2026-03-01T08:{number:02}:00Z",
        "code": {"coding": [coding]},
    }


async def test_a_write_goes_to_the_keeper_with_every_byte_as_it_came(
    front: httpx.AsyncClient, services: Services
) -> None:
    body = b'{ "resourceType":"Patient" , "multipleBirthInteger": 2.50 }'
    headers = {
        "If-None-Exist": "identifier=1",
        "Authorization": "Bearer x",
        "X-Request-Id": "r1",
        "Prefer": "return=minimal",
    }
    answer = await front.post("/fhir/Patient", content=body, headers=headers)
    assert answer.status_code == 201
    assert asked(services) == ["order"]
    sent = services["order"].asked[0]
    assert sent.content == answer.content == body
    for name, value in headers.items():
        assert sent.headers[name] == value
    assert answer.headers["location"] == f"{BASE}/Patient/new/_history/1"
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("code", "owner"),
    [
        ("exam", "order"),
        ("screening", "consent"),
        ("hand-over", "report"),
        ("critical-case", "critical"),
        ("nonconformity", "order"),
    ],
)
async def test_a_task_goes_by_its_code(front: httpx.AsyncClient, services: Services, code: str, owner: str) -> None:
    await front.post("/fhir/Task", json=task(1, code=code))
    assert asked(services) == [owner]


@pytest.mark.parametrize(
    ("identity", "owner"), [("k-1", "critical"), ("c-1", "consent"), ("r-1", "report"), ("o-1", "order")]
)
async def test_an_id_goes_by_its_letter(
    front: httpx.AsyncClient, services: Services, identity: str, owner: str
) -> None:
    for path in ("", "/_history", "/_history/2"):
        await front.get(f"/fhir/Task/{identity}{path}")
    await front.post(f"/fhir/Task/{identity}/$decide", json={"resourceType": "Parameters"})
    assert asked(services) == [owner]
    assert services[owner].asked[-1].url.path == f"/{owner}/fhir/Task/{identity}/$decide"


async def test_a_letter_means_nothing_for_a_type_with_one_keeper(front: httpx.AsyncClient, services: Services) -> None:
    await front.get("/fhir/Patient/k-1")
    assert asked(services) == ["order"]


async def test_an_imported_id_is_found_with_whoever_holds_it(front: httpx.AsyncClient, services: Services) -> None:
    services["report"].holding = [{**task(1), "id": "imported"}]
    assert (await front.get("/fhir/Task/imported")).status_code == 200
    await front.put("/fhir/Task/imported", json={**task(1, code="exam"), "id": "imported"})
    puts = [name for name, s in services.items() for request in s.asked if request.method == "PUT"]
    assert puts == ["report"]
    assert (await front.get("/fhir/Task/nowhere")).status_code == 404


async def test_an_unknown_type_is_404_in_both_languages_and_names_what_is_kept(front: httpx.AsyncClient) -> None:
    answer = await front.get("/fhir/Claim/1")
    assert answer.status_code == 404
    issue = answer.json()["issue"][0]
    assert "此处不保存" in issue["details"]["text"]
    assert "ServiceRequest" in issue["diagnostics"]
    english = await front.post("/fhir/Claim", json={}, headers={"Accept-Language": "en"})
    assert english.json()["issue"][0]["details"]["text"].startswith("Resources of type Claim")


async def test_a_service_that_is_down_is_503_with_retry_after_and_the_others_go_on(
    front: httpx.AsyncClient, services: Services
) -> None:
    services["report"].down = True
    answer = await front.get("/fhir/DiagnosticReport/r-1")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "report" in answer.json()["issue"][0]["diagnostics"]
    assert (await front.post("/fhir/Patient", json={})).status_code == 201
    ready = await front.get("/health/ready")
    assert (ready.status_code, ready.json()["down"]) == (503, ["report"])
    assert (await front.get("/health/live")).status_code == 200


async def pages(front: httpx.AsyncClient, first: str) -> list[list[str]]:
    found, url = [], first
    for _ in range(50):
        bundle = (await front.get(url)).json()
        found.append([entry["resource"]["id"] for entry in bundle.get("entry", ())])
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            return found
        assert following[0].startswith(f"{BASE}/Task?_position=")
        url = following[0]
    raise AssertionError("the pages never end")


def hold_three_streams(services: Services) -> list[str]:
    for number in range(30):
        letter, name = [("o", "order"), ("c", "consent"), ("k", "critical")][number * 7 % 3]
        services[name].holding.append(task(number, letter))
    everything = [r for s in services.values() for r in s.holding]
    return [r["id"] for r in sorted(everything, key=lambda r: r["authoredOn"], reverse=True)]


async def test_a_search_over_several_keepers_is_merged_by_the_sort_key(
    front: httpx.AsyncClient, services: Services
) -> None:
    expected = hold_three_streams(services)
    found = await pages(front, "/fhir/Task?_sort=-authored-on&_count=4")
    assert [identity for page in found for identity in page] == expected
    assert [len(page) for page in found[:-1]] == [4] * (len(found) - 1)


async def test_without_a_sort_keepers_follow_each_other_and_totals_add_up(
    front: httpx.AsyncClient, services: Services
) -> None:
    expected = hold_three_streams(services)
    found = [identity for page in await pages(front, "/fhir/Task?_count=7") for identity in page]
    assert sorted(found) == sorted(expected)
    bundle = (await front.get("/fhir/Task?_count=7")).json()
    assert bundle["total"] == 30
    assert bundle["entry"][0]["fullUrl"].startswith(f"{BASE}/Task/")
    only = (await front.get("/fhir/Task?_count=0")).json()
    assert (only["total"], only.get("entry")) == (30, None)


async def test_pages_neither_repeat_nor_drop_when_something_is_written_between_them(
    front: httpx.AsyncClient, services: Services
) -> None:
    expected = hold_three_streams(services)
    first = (await front.get("/fhir/Task?_sort=-authored-on&_count=5")).json()
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    services["order"].holding += [task(number, "o") for number in (50, 51, 52)]
    found = [entry["resource"]["id"] for entry in first["entry"]]
    found += [identity for page in await pages(front, following) for identity in page]
    assert len(found) == len(set(found))
    assert set(expected) <= set(found)


async def test_a_post_search_leaves_nothing_of_it_in_links(front: httpx.AsyncClient, services: Services) -> None:
    hold_three_streams(services)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await front.post("/fhir/Task/_search", content="patient=Zhang&_count=3", headers=headers)
    assert answer.status_code == 200
    assert len(answer.json()["entry"]) == 3
    assert "Zhang" not in json.dumps(answer.json()["link"])


async def test_a_keeper_that_does_not_keep_the_type_yet_has_nothing_to_give(
    front: httpx.AsyncClient, services: Services
) -> None:
    hold_three_streams(services)
    services["report"].kept = False
    assert (await front.get("/fhir/Task?_count=1")).json()["total"] == 30
    for service in services.values():
        service.kept = False
    assert (await front.get("/fhir/Task")).status_code == 404


@pytest.mark.parametrize("query", ["_sort=shoe", "_count=-1", "_count=x", "_position=forged"])
async def test_what_cannot_be_merged_is_400(front: httpx.AsyncClient, query: str) -> None:
    assert (await front.get(f"/fhir/Task?{query}")).status_code == 400


async def test_a_search_with_one_keeper_keeps_its_cursor_and_its_resources_keep_their_characters(
    front: httpx.AsyncClient, services: Services
) -> None:
    text = '{"resourceType":"Patient", "id":"o-1", "x":72.50, "u":"\\u4e2d http://127.0.0.1:8101/order/fhir/Patient/9"}'
    base = "http://127.0.0.1:8101/order/fhir"
    body = (
        f'{{"resourceType":"Bundle","type":"searchset","link":[{{"relation":"next","url":"{base}/Patient?_cursor=abc"}}],'
        f'"entry":[{{"fullUrl":"{base}/Patient/o-1","resource":{text}}}]}}'
    )
    services["order"]._search = lambda *_: httpx.Response(200, text=body)  # type: ignore[method-assign]
    answer = await front.get("/fhir/Patient?name=x")
    assert text in answer.text
    assert answer.json()["link"][0]["url"] == f"{BASE}/Patient?_cursor=abc"
    assert answer.json()["entry"][0]["fullUrl"] == f"{BASE}/Patient/o-1"


def bundle(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": r, "request": {"method": "POST", "url": r["resourceType"]}} for r in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


async def test_a_transaction_with_one_owner_passes_whole(front: httpx.AsyncClient, services: Services) -> None:
    sent = bundle(
        "transaction", {"resourceType": "Patient"}, {"resourceType": "ServiceRequest"}, {"resourceType": "Observation"}
    )
    answer = await front.post("/fhir", json=sent)
    assert answer.status_code == 200
    assert asked(services) == ["order"]
    assert answer.json()["entry"][0]["response"]["location"] == f"{BASE}/Patient/_history/1"


async def test_what_only_a_default_decided_goes_along_with_the_transaction(
    front: httpx.AsyncClient, services: Services
) -> None:
    sent = bundle("transaction", {"resourceType": "DiagnosticReport"}, {"resourceType": "Observation"})
    assert (await front.post("/fhir/", json=sent)).status_code == 200
    assert asked(services) == ["report"]


async def test_a_transaction_with_mixed_owners_is_422_and_names_them(
    front: httpx.AsyncClient, services: Services
) -> None:
    answer = await front.post(
        "/fhir", json=bundle("transaction", {"resourceType": "Patient"}, {"resourceType": "Consent"})
    )
    assert answer.status_code == 422
    told = [(issue["expression"][0], issue["diagnostics"]) for issue in answer.json()["issue"]]
    assert [place for place, _ in told] == ["Bundle.entry[1]", "Bundle.entry[0]"]
    assert "consent" in told[0][1]
    assert asked(services) == []


async def test_a_batch_is_split_by_owner_and_answered_in_its_order(
    front: httpx.AsyncClient, services: Services
) -> None:
    services["consent"].down = True
    services["critical"].holding = [task(1, "k")]
    sent = bundle("batch", {"resourceType": "Patient"}, {"resourceType": "Consent"}, {"resourceType": "Claim"})
    sent["entry"].append({"request": {"method": "GET", "url": "Task?_count=5"}})
    sent["entry"].append({"resource": {"resourceType": "Endpoint"}, "request": {"method": "POST", "url": "Endpoint"}})
    services["consent"].down = True
    answer = (await front.post("/fhir", json=sent)).json()
    statuses = [entry["response"]["status"] for entry in answer["entry"]]
    assert statuses == ["201", "503", "404", "503", "201"]
    services["consent"].down = False
    answer = (await front.post("/fhir", json=sent)).json()
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201", "201", "404", "200", "201"]
    assert answer["entry"][3]["resource"]["entry"][0]["resource"]["id"] == "k-001"


async def test_too_much_is_413(front: httpx.AsyncClient) -> None:
    assert (await front.post("/fhir/Patient", content=b"x" * 100_001)).status_code == 413
    assert (await front.post("/fhir", json=bundle("batch", *[{"resourceType": "Patient"}] * 51))).status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'"x"', b'{"entry": 1}', b'{"type":"batch","entry":[{"request":1}]}']
)
async def test_rubbish_is_4xx_and_never_5xx(front: httpx.AsyncClient, body: bytes) -> None:
    assert 400 <= (await front.post("/fhir", content=body)).status_code < 500
    assert (await front.post("/fhir/Task", content=body)).status_code < 500


async def test_metadata_states_what_the_services_state_and_nothing_more(
    front: httpx.AsyncClient, services: Services
) -> None:
    statement = (await front.get("/fhir/metadata/")).json()
    by_type = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    assert sorted(by_type) == ["Consent", "Patient", "Task"]
    assert [i["code"] for i in by_type["Patient"]["interaction"]] == ["read", "delete"]
    assert [i["code"] for i in by_type["Task"]["interaction"]] == ["read"]
    services["consent"].down = True
    assert "Consent" in {r["type"] for r in (await front.get("/fhir/metadata")).json()["rest"][0]["resource"]}


async def test_the_home_page_says_demo_in_both_languages(front: httpx.AsyncClient) -> None:
    page = (await front.get("/")).text
    assert "演示" in page
    assert "DEMO" in page
    assert "critical" in page


async def test_a_smart_client_finds_the_token_address(front: httpx.AsyncClient) -> None:
    for path in ("/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"):
        configuration = (await front.get(path)).json()
        assert configuration["token_endpoint"] == "http://front/auth/token"
    assert (await front.get("/auth/jwks")).json() == {"keys": [{"kid": "k"}]}


async def test_a_host_header_does_not_widen_the_audience(front: httpx.AsyncClient) -> None:
    """An assertion made for evil.example and passed on by it, with its own name as Host, meets our own address."""
    answer = await front.post("/auth/token", data={"grant_type": "x"}, headers={"Host": "evil.example"})
    assert answer.json() == {"asked_at": "http://front/auth/token", "grant_type": "x"}


async def test_a_form_that_says_something_twice_or_too_much_is_refused(front: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await front.post("/auth/token", content="scope=a&scope=b", headers=headers)).status_code == 400
    assert (await front.post("/auth/token", content="a=" + "b" * 70_000, headers=headers)).status_code == 413
    assert (await front.post("/auth/token", content="&".join(["a=b"] * 60), headers=headers)).status_code == 400

"""What is spoken at the door: media types, compression, layout, headers, and every body that is none."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.fhir.wire import on_the_wire

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_patient, a_task, opened, where

JSON = "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        ("", JSON),
        ("application/fhir+json;fhirVersion=4.0", JSON),
        ("application/fhir+json; fhirVersion=3.0", None),
        ("application/json", "application/json; charset=utf-8"),
        ("application/fhir+xml, application/fhir+json;q=0.1", JSON),
        ("application/fhir+json;q=0, */*", "application/json; charset=utf-8"),
        ("application/fhir+json;q=0", None),
        ("application/fhir+xml", None),
        ("text/html", None),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("nonsense;;q=x", None),
    ],
)
async def test_the_answer_is_of_a_type_that_the_client_takes(place: Place, accept: str, answered: str | None) -> None:
    answer = await place.ask("GET", "Task", headers={"Accept": accept})
    if answered is None:
        assert (answer.status_code, answer.json()["resourceType"]) == (406, "OperationOutcome")
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("json", 200),
        ("application/json", 200),
        ("application/fhir%2Bjson", 200),
        ("application/fhir+json", 200),
        ("xml", 406),
        ("ttl", 406),
    ],
)
async def test_format_comes_before_accept(place: Place, wanted: str, status: int) -> None:
    answer = await place.ask("GET", f"Task?_format={wanted}", headers={"Accept": "application/fhir+xml"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("application/fhir+json", 201),
        ("application/json; charset=UTF-8", 201),
        ("application/fhir+json; fhirVersion=4.0", 201),
        ("application/fhir+json; charset=gbk", 415),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/fhir+xml", 415),
        ("", 415),
    ],
)
async def test_a_body_of_another_type_is_415(place: Place, sent: str, status: int) -> None:
    answer = await place.ask("POST", "Task", a_task(), headers={"Content-Type": sent})
    assert answer.status_code == status
    task = await place.make(a_task())
    put = await place.ask("PUT", f"Task/{task['id']}", task, headers={"Content-Type": sent})
    assert put.status_code == {201: 200}.get(status, status)


async def test_layout_changes_white_space_only(place: Place) -> None:
    body = '{"resourceType":"Observation","status":"final","code":{"text":"\\u4f60 {[,:"},"valueQuantity":{"value":1.50E+1},"note":[]}'
    made = await place.ask("POST", "Observation?_pretty=true", body.replace(',"note":[]', ""))
    plain = await place.ask("GET", f"Observation/{made.json()['id']}")
    laid_out = await place.ask("GET", f"Observation/{made.json()['id']}?_pretty=true")
    assert laid_out.text == made.text
    assert '\n  "valueQuantity": {\n    "value": 1.50E+1\n  }' in laid_out.text
    assert '"\\u4f60 {[,:"' in laid_out.text
    assert "".join(line.strip() for line in laid_out.text.splitlines()).replace('": ', '":') == plain.text
    assert laid_out.headers["etag"] == plain.headers["etag"]
    assert (await place.ask("GET", "Task?_pretty=perhaps")).status_code == 400


async def test_a_packed_body_is_unpacked_within_the_limit(place: Place) -> None:
    packed = {"Content-Encoding": "gzip"}
    text = json.dumps(a_task()).encode()
    for body in (gzip.compress(text), gzip.compress(text[:10]) + gzip.compress(text[10:])):
        answer = await place.ask("POST", "Task", body, headers=packed)
        assert answer.status_code == 201, answer.text
    bomb = gzip.compress(b" " * (place.running.kernel.max_body_bytes + 1))
    assert len(bomb) < 30_000
    assert (await place.ask("POST", "Task", bomb, headers=packed)).status_code == 413
    for broken in (b"no gzip", gzip.compress(text)[:-9], gzip.compress(text) + b"rest"):
        assert (await place.ask("POST", "Task", broken, headers=packed)).status_code == 400, broken
    other = await place.ask("POST", "Task", text, headers={"Content-Encoding": "br"})
    assert (other.status_code, other.headers["accept-encoding"]) == (415, "gzip")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no body"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"resourceType":"Task",\n"status":\xff}', "line 2"),
        (b'{"resourceType":"Task"} {}', "line 1, column 25"),
        (b'{"a":\n NaN}', "line 2, column 2"),
        (b'{"a":[-Infinity]}', "line 1, column 7"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"status":"x","status":"y"}', "given twice"),
        (b'{"a":1e999}', "too long"),
    ],
)
async def test_a_body_that_is_none_is_400_and_says_where(place: Place, body: bytes, said: str) -> None:
    answer = await place.ask("POST", "Task", body, headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert said in answer.json()["issue"][0]["details"]["text"]


async def test_a_body_that_does_not_arrive_is_408(data_dir: Path) -> None:
    async def slowly() -> Any:
        yield b'{"resourceType":'
        await asyncio.sleep(5)
        yield b'"Task"}'

    headers = {"Authorization": "Bearer his system/*.cruds", "Content-Type": "application/fhir+json"}
    async with opened(data_dir, small_service(), body_seconds=0.2) as street:
        answer = await street["order"].client.post("/order/fhir/Task", content=slowly(), headers=headers)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


async def test_an_address_says_what_it_takes(place: Place) -> None:
    for path, methods in (
        ("Task", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("Task/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("Task/1/_history", "GET, HEAD, OPTIONS"),
        ("metadata", "GET, HEAD, OPTIONS"),
        ("", "POST, OPTIONS"),
    ):
        answer = await place.ask("OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"]) == (204, methods)
    for method, path in (("POST", "Task/1"), ("DELETE", "metadata"), ("TRACE", "Task"), ("GET", "Task/_search")):
        answer = await place.ask(method, path)
        assert answer.status_code == 405, path
        assert "OPTIONS" in answer.headers["allow"]
    for path in ("nothing", "Task/1/nothing/else", "Task/1/_history/1/2"):
        assert (await place.ask("GET", path)).status_code == 404


async def test_head_says_what_get_would(place: Place) -> None:
    patient = await place.make(a_patient())
    address = f"Patient/{patient['id']}"
    for path in (
        address,
        f"{address}/_history",
        f"{address}/_history/1",
        "Patient?_count=1",
        "metadata",
        "Patient/none",
    ):
        got, head = await place.ask("GET", path), await place.ask("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in ("content-type", "etag", "last-modified"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
        if path.startswith("Patient/"):
            assert head.headers["content-length"] == str(len(got.content))


async def test_a_request_id_comes_back_when_it_is_harmless(place: Place) -> None:
    for sent, kept in (("abc-1.2:3", True), ("a b", False), ("x" * 65, False), ("<script>", False)):
        answer = await place.ask("GET", "Task?_count=0", headers={"X-Request-Id": sent})
        assert (answer.headers["x-request-id"] == sent) == kept
        assert len(answer.headers["x-request-id"]) <= 64


async def test_a_resource_is_read_in_part(place: Place) -> None:
    task = await place.make(a_task(description="x", note=[{"text": "y"}]))
    part = (await place.ask("GET", f"Task/{task['id']}?_elements=description")).json()
    assert part["description"] == "x"
    assert "note" not in part
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    wrong = await place.ask("GET", f"Task/{task['id']}?_summary=count")
    assert (wrong.status_code, where(wrong)) == (400, ["_summary"])
    assert (await place.ask("GET", f"Task/{task['id']}?name=x")).status_code == 400


async def test_answers_are_packed_for_those_who_ask_and_open_to_named_origins_only(place: Place) -> None:
    served = on_the_wire(place.running.app, ["https://viewer.example"])
    transport = httpx.ASGITransport(app=served)
    who = {"Authorization": "Bearer his system/*.cruds"}
    async with httpx.AsyncClient(transport=transport, base_url="http://x/order/fhir", headers=who) as client:
        plain = await client.get("/metadata", headers={"Accept-Encoding": "identity"})
        packed = await client.get("/metadata", headers={"Accept-Encoding": "gzip"})
        assert ("content-encoding" in plain.headers, packed.headers["content-encoding"]) == (False, "gzip")
        assert plain.text == packed.text
        known = await client.get("/Task", headers={"Origin": "https://viewer.example"})
        assert known.headers["access-control-allow-origin"] == "https://viewer.example"
        assert "ETag" in known.headers["access-control-expose-headers"]
        other = await client.get("/Task", headers={"Origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in other.headers
        asked = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "PATCH"}
        flight = await client.options("/Task/1", headers={**asked, "Access-Control-Request-Headers": "if-match"})
        assert (flight.status_code, "PATCH" in flight.headers["access-control-allow-methods"]) == (200, True)

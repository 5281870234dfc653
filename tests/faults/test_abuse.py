"""Requests that mean harm, against a real server process over real sockets: it refuses, goes on, and grows no larger."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.support.server import Server

_HEAD_SECONDS, _BODY_SECONDS, _CONNECTIONS, _REQUESTS = 2, 3, 80, 8
_PATIENCE_SECONDS = 30.0  # generous: what is tested is that it ends at all
MARK = "Zzmarked"
_POST = b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nAuthorization: %s\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process with small limits, so that they are reached soon."""
    limits = {
        "SLIPRING_HEAD_SECONDS": str(_HEAD_SECONDS),
        "SLIPRING_BODY_SECONDS": str(_BODY_SECONDS),
        "SLIPRING_MAX_CONNECTIONS": str(_CONNECTIONS),
        "SLIPRING_MAX_REQUESTS": str(_REQUESTS),
        "SLIPRING_MAX_BODY_BYTES": "1000000",
        "SLIPRING_CLIENT_RATE": "20",
        "SLIPRING_CLIENT_BURST": "200",
        "SLIPRING_ADDRESS_RATE": "20",
        "SLIPRING_ADDRESS_BURST": "100",
    }
    folder = tmp_path_factory.mktemp("abused")
    running = Server(folder, environment=limits, log=folder / "process.log")
    try:
        running.start(seconds=120)
        yield running
    finally:
        running.stop()
        stop(running.data_dir)


@pytest.fixture(scope="module")
def authorization(server: Server) -> bytes:
    """A good token's header."""
    with server.client() as his:
        return his.get("/fhir/Patient?_count=1").request.headers["Authorization"].encode()


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), _PATIENCE_SECONDS)


def answer(connection: socket.socket) -> bytes:
    """Everything until the server closes, or until a whole small answer is there."""
    told = b""
    try:
        while piece := connection.recv(65_536):
            told += piece
            if b"\r\n\r\n" in told and b"connection: close" not in told.lower():
                break
    except ConnectionResetError:
        pass
    return told


def status(told: bytes) -> int:
    assert told.startswith(b"HTTP/1.1 "), told[:200]
    return int(told.split(b" ", 2)[1])


def ended(connection: socket.socket) -> float:
    """The seconds until the server ends a connection on which nothing more is sent."""
    began = time.monotonic()
    answer(connection)
    with suppress(ConnectionResetError):
        connection.recv(1)
    return time.monotonic() - began


def alive(server: Server) -> None:
    assert httpx.get(f"{server.url}/health/live", timeout=_PATIENCE_SECONDS, trust_env=False).status_code == 200


def test_a_head_that_drips_in_is_ended(server: Server) -> None:
    """Slowloris: one header byte now and then keeps no connection open."""
    with connected(server) as slow:
        slow.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n")
        began, told = time.monotonic(), b""
        slow.settimeout(0.2)
        while time.monotonic() - began < _PATIENCE_SECONDS and not told:
            try:
                slow.sendall(b"X")
                told = slow.recv(1000)
                break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        assert time.monotonic() - began < _PATIENCE_SECONDS
        assert not told or status(told) == 408
    alive(server)


def test_empty_lines_between_requests_keep_no_connection_open(server: Server) -> None:
    with connected(server) as slow:
        slow.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(answer(slow)) == 200
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE_SECONDS:
            try:
                slow.sendall(b"\r\n")
                time.sleep(0.2)
            except (BrokenPipeError, ConnectionResetError):
                break
        assert time.monotonic() - began < _PATIENCE_SECONDS


def test_who_connects_and_says_nothing_is_sent_away(server: Server) -> None:
    with connected(server) as silent:
        assert ended(silent) < _PATIENCE_SECONDS
    alive(server)


def test_a_body_that_drips_in_is_408(server: Server, authorization: bytes) -> None:
    with connected(server) as slow:
        slow.sendall(_POST % authorization + b"Content-Length: 1000\r\n\r\n{")
        told = answer(slow)
    assert status(told) == 408
    assert b"OperationOutcome" in told


def test_a_body_without_a_valid_token_is_not_waited_for(server: Server) -> None:
    with connected(server) as slow:
        slow.sendall(_POST % b"Bearer a.b.c" + b"Content-Length: 1000\r\n\r\n{")
        began = time.monotonic()
        assert status(answer(slow)) == 401
        assert time.monotonic() - began < _PATIENCE_SECONDS


HEADS = {
    "a target of a megabyte": (b"GET /fhir/Patient?name=" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    "a header of a megabyte": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n", {431}),
    "ten thousand headers": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(10_000)) + b"\r\n", {431}),
    "a name of a megabyte": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x" * 1_000_000 + b": 1\r\n\r\n", {431, 400}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", {400}),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
    "a length and chunks": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "a negative length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", {200, 400}),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_goes_too_far_is_refused(server: Server, case: str) -> None:
    sent, expected = HEADS[case]
    with connected(server) as wild:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            wild.sendall(sent)
        told = answer(wild)
    assert not told or status(told) in expected, told[:100]
    assert b"x" * 50 not in told
    alive(server)


def test_bodies_that_are_too_large_in_any_wrapping_are_413(server: Server, authorization: bytes) -> None:
    """As told, in chunks without end, and a small gzip that would unpack to a hundred megabytes."""
    headers = {"Authorization": authorization.decode(), "Content-Type": "application/fhir+json"}

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100_000

    with httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        for sent in (b" " * 2_000_000, endless()):
            with suppress(httpx.WriteError):  # the connection was closed while we still sent
                assert http.post("/fhir/Patient", content=sent, headers=headers).status_code == 413
        bomb = gzip.compress(b" " * 100_000_000)
        assert (
            http.post("/fhir/Patient", content=bomb, headers={**headers, "Content-Encoding": "gzip"}).status_code == 413
        )
        deep = b'{"resourceType":"Patient","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
        assert http.post("/fhir/Patient", content=deep, headers=headers).status_code == 400
        many = "&".join(f"_id={n}" for n in range(4000))
        assert http.get(f"/fhir/Patient?{many}", headers=headers).status_code < 500
        assert http.get("/fhir/Patient?_count=999999999999", headers=headers).status_code in (200, 400)
        assert http.post("/auth/token", content=b"x" * 100_000).status_code == 413
    alive(server)


def test_more_connections_than_there_may_be_are_sent_away_and_the_rest_goes_on(server: Server) -> None:
    idle = [connected(server) for _ in range(_CONNECTIONS)]
    try:
        refused = 0
        for _ in range(20):
            with connected(server) as late:
                late.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                told = answer(late)
                refused += not told or status(told) == 503
        assert refused
        for one in idle:
            ended(one)
    finally:
        for one in idle:
            one.close()
    alive(server)


def test_too_many_requests_at_once_are_503_and_a_critical_finding_still_gets_in(
    server: Server, authorization: bytes
) -> None:
    """All places are taken by bodies that never come; a flag and a read-back have room of their own."""
    holding = [connected(server) for _ in range(_REQUESTS)]
    try:
        for one in holding:
            one.sendall(_POST % authorization + b"Content-Length: 1000\r\n\r\n{")
        headers = {"Authorization": authorization.decode(), "Content-Type": "application/fhir+json"}
        with httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:
            busy = None
            for _ in range(40):  # until all of them were taken up
                answered = http.get("/fhir/Patient?_count=1", headers={**headers, "Accept-Language": "en"})
                if answered.status_code == 503:
                    busy = answered
                    break
                time.sleep(0.02)
            assert busy is not None
            assert int(busy.headers["Retry-After"]) >= 1
            assert busy.json()["issue"][0]["details"]["coding"][0]["code"] == "kernel.too-busy"
            for urgent in ("DiagnosticReport/r-x/$flag-critical", "Task/k-x/$acknowledge"):
                told = http.post(f"/fhir/{urgent}", json={"resourceType": "Parameters"}, headers=headers)
                assert told.status_code not in (429, 503), told.text
            assert http.get("/health/engine").status_code in (200, 503)
            assert "kernel.too-busy" not in http.get("/health/engine").text
            shown = http.get("/metrics")
            assert 'slipring_requests_limited_total{why="busy"}' in shown.text
    finally:
        for one in holding:
            one.close()


def test_no_header_of_an_answer_can_be_written_by_a_caller(server: Server, authorization: bytes) -> None:
    """CRLF, raw or encoded, in the request id, the address, `_format`, an id and a condition."""
    mark = b"X-Injected"
    good = b"Authorization: " + authorization + b"\r\n"
    for target, headers in (
        (b"/fhir/Patient/a%0d%0aX-Injected:%201", b""),
        (b"/fhir/Patient?_format=json%0d%0aX-Injected:%201", b""),
        (b"/fhir/Patient?_count=1&x=%0d%0aX-Injected:1", b""),
        (b"/order/fhir/Patient/a%0d%0aX-Injected:%201", b""),
        (b"/order/fhir/Patient?_format=%0d%0aX-Injected:%201", b""),
        (b"/fhir/Patient?_count=1", b"X-Request-Id: a\rX-Injected: 1\r\n"),
        (b"/fhir/Patient?_count=1", b"X-Request-Id: a%0d%0aX-Injected: 1\r\n"),
        (b"/fhir/Patient?_count=1", b"Accept-Language: en\tX-Injected: 1\r\n"),
        (b"//evil.example/%0d%0aX-Injected:1", b""),
        (b"/sign-in?next=%0d%0aX-Injected:1", b""),
    ):
        with connected(server) as wire:
            wire.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + good + headers + b"\r\n")
            told = answer(wire)
        head = told.partition(b"\r\n\r\n")[0]
        assert not any(line.lower().startswith(mark.lower()) for line in head.split(b"\r\n")), (target, head)
        assert status(told) < 500, (target, told[:300])


def test_a_client_that_asks_too_often_is_429_until_it_has_waited(server: Server, authorization: bytes) -> None:
    headers = {"Authorization": authorization.decode(), "Content-Type": "application/fhir+json"}
    with httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        refused = None
        with ThreadPoolExecutor(4) as pool:
            for _ in range(40):
                asked = list(pool.map(lambda _: http.get("/fhir/Patient?_count=1", headers=headers), range(40)))
                refused = next((one for one in asked if one.status_code == 429), None)
                if refused:
                    break
        assert refused is not None, "a limit that is never reached"
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.headers["RateLimit"].startswith('"client";r=0;t=')
        issue = refused.json()["issue"][0]
        assert (issue["code"], issue["details"]["coding"][0]["code"]) == ("throttled", "kernel.too-many-requests")
        assert "Too many requests" in issue["diagnostics"]
        for urgent in ("DiagnosticReport/r-x/$flag-critical", "Task/k-x/$acknowledge"):
            for _ in range(30):
                told = http.post(f"/fhir/{urgent}", json={"resourceType": "Parameters"}, headers=headers)
                assert told.status_code != 429
        for _ in range(30):
            assert http.get("/health/live").status_code == 200
        time.sleep(int(refused.headers["Retry-After"]) + 1)
        assert http.get("/fhir/Patient?_count=1", headers=headers).status_code == 200


def test_an_address_without_a_token_is_limited_and_the_services_own_tokens_are_not(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        answers = [http.post("/auth/token", data={"grant_type": "password"}) for _ in range(250)]
        assert {one.status_code for one in answers} == {400, 429}
        refused = next(one for one in answers if one.status_code == 429)
        assert refused.json()["error"] == "temporarily_unavailable"
        assert int(refused.headers["Retry-After"]) >= 1
        tried = [http.get("/fhir/Patient", headers={"Authorization": "Bearer a.b.c"}) for _ in range(50)]
        assert 429 in {one.status_code for one in tried}
        assert http.get("/health/live").status_code == 200
        engine = json.loads(http.get("/health/engine").text)
        assert all(one["status"] != "fail" for one in engine["services"].values()), engine


async def test_neither_the_process_nor_its_database_logs_what_a_request_held(
    server: Server, authorization: bytes
) -> None:
    """Sound and broken requests with marked values, at the front and at a service, also while the database is broken."""
    headers = {"Authorization": authorization.decode(), "Content-Type": "application/fhir+json", "Prefer": MARK}
    patient = {"resourceType": "Patient", "name": [{"family": MARK}], "address": [{"text": MARK}]}
    await asyncio.sleep(2)  # the address' and the client's buckets fill again
    connection = await asyncpg.connect(ensure_running(server.data_dir), server_settings={"search_path": '"order"'})
    async with httpx.AsyncClient(base_url=server.url, timeout=_PATIENCE_SECONDS, trust_env=False) as http:

        async def all_of_it() -> set[int]:
            answers = []
            for base in ("/fhir", "/order/fhir"):
                for told in ({}, {"X-Request-Id": MARK}, {"If-None-Exist": f"identifier={MARK}"}, {"Accept": MARK}):
                    answers.append(await http.post(f"{base}/Patient", json=patient, headers={**headers, **told}))
                answers.append(await http.get(f"{base}/Patient?name={MARK}&birthdate={MARK}&{MARK}=1", headers=headers))
                answers.append(await http.get(f"{base}/Patient/{MARK}", headers=headers))
                answers.append(await http.get(f"{base}/{MARK}/{MARK}", headers=headers))
                answers.append(await http.post(f"{base}/Patient", content=f'{{"{MARK}', headers=headers))
                answers.append(await http.post(f"{base}/Patient", json={**patient, "birthDate": MARK}, headers=headers))
                answers.append(await http.post(base, json={"resourceType": "Bundle", "type": MARK}, headers=headers))
                answers.append(await http.get(f"{base}/Patient", headers={"Authorization": f"Bearer {MARK}"}))
                answers.append(await http.post("/auth/token", data={"client_assertion": MARK, "grant_type": MARK}))
            return {answer.status_code for answer in answers}

        try:
            assert max(await all_of_it()) < 500
            await connection.execute("ALTER TABLE search_string RENAME TO put_away")
            assert 500 in await all_of_it()
            await connection.execute("ALTER TABLE put_away RENAME TO search_string")
            await connection.execute(f"ALTER TABLE search_string ADD CONSTRAINT no CHECK (exact <> '{MARK}') NOT VALID")
            assert 500 in await all_of_it()
        finally:
            await connection.execute("ALTER TABLE IF EXISTS put_away RENAME TO search_string")
            await connection.execute("ALTER TABLE search_string DROP CONSTRAINT IF EXISTS no")
            await connection.close()
    assert server.log is not None
    logs = {server.log: server.log.read_text()}
    logs |= {path: path.read_text() for path in (server.data_dir / "postgres" / "log").iterdir()}
    assert "UndefinedTable" in logs[server.log]
    assert "CheckViolation" in logs[server.log]
    for path, text in logs.items():
        told = [line for line in text.splitlines() if MARK in line and "ALTER TABLE" not in line]
        assert told == [], path.name
    for line in logs[server.log].splitlines():
        assert line.startswith("slipring: ") or json.loads(line), line


def test_the_process_is_no_larger_for_all_that(server: Server) -> None:
    assert server.process is not None
    told = Path(f"/proc/{server.process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmRSS"))
    assert resident < 700_000, f"{resident} kB"
    alive(server)

"""SIGTERM: not ready first, what is under way is finished, what was leased is given back, and the process ends with 0."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.support.server import Server

_PATIENCE_SECONDS = 40
_FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database that these tests may stop."""
    folder = tmp_path_factory.mktemp("stopping")
    yield folder
    stop(folder)


@pytest.fixture
def server(own_data: Path) -> Iterator[Server]:
    """One process with everything."""
    made = Server(own_data)
    yield made
    made.stop()


def _terminate(server: Server) -> float:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    return time.monotonic()


def _ready(server: Server) -> int:
    return httpx.get(f"{server.url}/health/ready", timeout=2, trust_env=False).status_code


def test_it_says_not_ready_goes_on_for_the_drain_time_then_refuses_and_ends_with_zero(server: Server) -> None:
    server.environment["SLIPRING_DRAIN_SECONDS"] = "5"
    server.start()
    with server.client() as http:
        http.get("/fhir/Patient").raise_for_status()
        asked = _terminate(server)
        while _ready(server) != 503:  # refused at the door once the drain time is over: then it never said so
            time.sleep(0.05)
        answer = http.post("/fhir/Patient", content=json.dumps({"resourceType": "Patient"}), headers=_FHIR)
        assert answer.status_code == 201, "a balancer that has not looked yet still gets answers"
    assert server.process is not None
    assert server.process.wait(_PATIENCE_SECONDS) == 0
    assert time.monotonic() - asked < _PATIENCE_SECONDS
    with pytest.raises(httpx.ConnectError):
        _ready(server)


def test_a_request_under_way_is_answered(server: Server) -> None:
    """Half of the body is sent, then SIGTERM comes, then the other half: the resource is stored and the answer arrives."""
    server.start()
    with server.client() as http:
        authorization = http.get("/fhir/Patient").request.headers["Authorization"]
    body = json.dumps({"resourceType": "Patient", "name": [{"family": "Half-Sent"}]}).encode()
    head = f"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Type: application/fhir+json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        time.sleep(0.3)
        _terminate(server)
        time.sleep(0.5)
        connection.sendall(body[10:])
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 201 ")
    assert server.process is not None
    assert server.process.wait(_PATIENCE_SECONDS) == 0


def test_a_request_that_never_ends_is_waited_for_no_longer_than_the_setting_says(server: Server) -> None:
    server.environment["SLIPRING_STOP_SECONDS"] = "1"
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        asked = _terminate(server)
        assert server.process is not None
        assert server.process.wait(_PATIENCE_SECONDS) == 0
    assert time.monotonic() - asked < _PATIENCE_SECONDS


def test_a_second_signal_ends_the_waiting(server: Server) -> None:
    server.environment["SLIPRING_STOP_SECONDS"] = "60"
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(b"POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        asked = _terminate(server)
        time.sleep(0.5)
        _terminate(server)
        assert server.process is not None
        server.process.wait(_PATIENCE_SECONDS)
    assert time.monotonic() - asked < _PATIENCE_SECONDS


def test_it_ends_with_zero_although_the_database_is_away(server: Server) -> None:
    server.start()
    stop(server.data_dir)
    _terminate(server)
    assert server.process is not None
    assert server.process.wait(20) == 0


def test_under_load_every_request_is_answered_or_refused_at_the_door(server: Server) -> None:
    """Many clients write while SIGTERM comes: an accepted connection gets its answer, and what was answered is stored."""
    server.start()
    kept: list[str] = []
    broken: list[str] = []

    def write(number: int) -> None:
        with server.client() as http:
            for count in range(10_000):
                name = f"Load-{number}-{count}"
                try:
                    answer = http.post(
                        "/fhir/Patient",
                        content=json.dumps({"resourceType": "Patient", "name": [{"family": name}]}),
                        headers=_FHIR,
                    )
                except httpx.ConnectError:
                    return
                except (
                    httpx.RemoteProtocolError,
                    httpx.ReadError,
                ) as error:  # a kept connection, closed as the request was sent
                    broken.append(f"{name} {error}")
                    continue
                if answer.status_code == 201:
                    kept.append(name)
                else:
                    assert answer.status_code == 503, answer.text

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    time.sleep(1.0)
    _terminate(server)
    for writer in writers:
        writer.join(20)
    assert server.process is not None
    assert server.process.wait(_PATIENCE_SECONDS) == 0
    assert len(broken) <= len(writers), "only a connection kept open may be closed under a request"
    ensure_running(server.data_dir)
    server.start()
    with server.client() as http:
        for name in kept[:: max(1, len(kept) // 40)] + kept[-16:]:  # the last ones were written while it stopped
            assert len(http.get(f"/fhir/Patient?family:exact={name}").json()["entry"]) == 1, f"{name} was lost"

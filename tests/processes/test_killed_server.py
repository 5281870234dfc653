"""kill -9 of the whole server at random moments: nothing acknowledged is lost, no alert is silent."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.runtime.postgres import stop
from slipring_demo.cast import SYNTHETIC, C, cast_bundle
from slipring_demo.receivers import Receiver
from slipring_demo.teller import parameters, value_of

from tests.support.backing_up import done as done_
from tests.support.backing_up import slipring
from tests.support.server import Server

_ROUNDS = 6
_AT_LEAST = 2  # writes that are answered in each round before the kill may come
_FHIR = {"Content-Type": "application/fhir+json"}
Tree = dict[str, Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh department that may be killed."""
    made = Server(tmp_path)
    yield made
    made.stop()
    stop(tmp_path)


def test_an_alert_outlives_the_server_that_took_the_flag(server: Server) -> None:
    """A flag that was answered is delivered after kill -9; each repeat carries the same attempt id and is marked."""
    server.start()
    phone = Receiver("ward duty")
    seed = random.Random(20261124)
    with server.loading() as http:
        people = _people(http)
    with server.department() as http:
        _post(http, "Endpoint", _route(phone))
    flags = []
    for number in range(_ROUNDS):
        with server.department() as http:
            report = _report(http, people, number)
            flags.append(_flag(http, report, people))
        time.sleep(seed.uniform(0, 0.08))
        server.kill()
        server.start()
    try:
        with server.department() as http:
            for flag in flags:
                _wait_for(http, flag["handover"], lambda task: task["status"] == "completed")
            cases = _search(http, "Task?code=critical-case&_count=100")
            assert len(cases) == _ROUNDS
            rung = {message["case"].rpartition("/")[2] for message in _settled(phone, cases)}
            assert rung == {case["id"] for case in cases}, "a case that rang nobody"
        _repeats_are_marked(phone)
    finally:
        phone.close()


def test_nothing_acknowledged_is_lost(server: Server) -> None:
    """Creates go on while the server is killed; every one that was answered 201 is there afterwards, once."""
    server.start()
    seed = random.Random(7)
    kept: dict[str, str] = {}
    unsure: set[str] = set()
    for round_number in range(_ROUNDS):
        done = threading.Event()
        writer = threading.Thread(target=_write_until_dead, args=(server, round_number, kept, unsure, done))
        writer.start()
        _answered(_AT_LEAST * (round_number + 1), kept)
        time.sleep(seed.uniform(0.3, 0.9))
        server.kill()
        done.set()
        writer.join()
        server.start()
    assert len(kept) > _ROUNDS, "too few writes to prove anything"
    with server.client() as http:
        for value, reference in kept.items():
            found = _search(http, f"Encounter?identifier=urn:test|{value}")
            assert [f"Encounter/{each['id']}" for each in found] == [reference], (
                f"{value} was acknowledged and is not there once"
            )
        for value in unsure:
            assert len(_search(http, f"Encounter?identifier=urn:test|{value}")) <= 1
    _verifies_clean(server)


def _answered(at_least: int, kept: dict[str, str]) -> None:
    """Wait until so many writes were answered: on a loaded machine the first takes a while."""
    end = time.monotonic() + 60
    while len(kept) < at_least:
        assert time.monotonic() < end, "too few writes to prove anything"
        time.sleep(0.02)


def _write_until_dead(
    server: Server, number: int, kept: dict[str, str], unsure: set[str], done: threading.Event
) -> None:
    with server.client() as http:
        count = 0
        while not done.is_set():
            value = f"{number}-{count}"
            count += 1
            encounter = {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {"code": "AMB"},
                "identifier": [{"system": "urn:test", "value": value}],
            }
            try:
                answer = http.post(
                    "/fhir/Encounter",
                    content=json.dumps(encounter),
                    headers={**_FHIR, "If-None-Exist": f"identifier=urn:test|{value}"},
                )
            except (httpx.HTTPError, OSError):
                unsure.add(value)
                return
            if answer.status_code == 201:
                kept[value] = f"Encounter/{answer.json()['id']}"
            else:
                unsure.add(value)


def _people(http: httpx.Client) -> list[str]:
    answer = _checked(http.post("/fhir", content=json.dumps(cast_bundle(with_patient=True)), headers=_FHIR))
    return ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer["entry"]]


def _report(http: httpx.Client, people: list[str], number: int) -> str:
    request = {
        "resourceType": "ServiceRequest",
        "meta": SYNTHETIC,
        "status": "active",
        "intent": "order",
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]},
                "system": f"{C}/his-order",
                "value": f"KILL-{number}",
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "30799-1"}]},
        "subject": {"reference": people[-1]},
        "requester": {"reference": people[3]},
    }
    made = _post(http, "ServiceRequest", request)
    # The report service has to know the request: copies arrive within a moment.
    draft = {
        "resourceType": "DiagnosticReport",
        "meta": SYNTHETIC,
        "status": "registered",
        "basedOn": [{"reference": f"ServiceRequest/{made['id']}"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]},
        "subject": {"reference": people[-1]},
    }
    end = time.monotonic() + 20
    while True:
        answer = http.post("/fhir/DiagnosticReport", content=json.dumps(draft), headers=_FHIR)
        if answer.status_code == 201:
            return f"DiagnosticReport/{answer.json()['id']}"
        assert time.monotonic() < end, answer.text
        time.sleep(0.05)


def _flag(http: httpx.Client, report: str, people: list[str]) -> Tree:
    body = parameters(
        finding=("Coding", {"system": f"{C}/CodeSystem/critical-finding", "code": "CV-CT-02"}),
        level=("Code", "1"),
        performer=("Reference", {"reference": people[7]}),
    )
    answer = _checked(http.post(f"/fhir/{report}/$flag-critical", content=json.dumps(body), headers=_FHIR))
    return {
        "handover": value_of(answer, "handover")["reference"],
        "observation": value_of(answer, "observation")["reference"],
    }


def _route(phone: Receiver) -> Tree:
    return {
        "resourceType": "Endpoint",
        "status": "active",
        "extension": [{"url": f"{C}/StructureDefinition/route-of", "valueCode": "ward"}],
        "connectionType": {"system": f"{C}/CodeSystem/channel", "code": "webhook"},
        "payloadType": [{"text": "slipring critical message"}],
        "address": phone.url,
    }


def _settled(phone: Receiver, cases: list[Tree]) -> list[Tree]:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        rings = [message for message in phone.received if "case" in message]  # not the check of the route itself
        if len({message["case"] for message in rings}) >= len(cases):
            break
        time.sleep(0.05)
    return rings


def _repeats_are_marked(phone: Receiver) -> None:
    seen: set[str] = set()
    for headers, message in zip(phone.headers, phone.received, strict=True):
        attempt = headers["idempotency-key"]
        assert message["attempt"] == attempt
        assert (headers["slipring-repeat"] == "true") or attempt not in seen, "a repeat that does not say so"
        seen.add(attempt)
    communications = {message["communication"] for message in phone.received}
    assert len(seen) == len(communications), "one attempt id for each attempt, however often it was sent"


def _verifies_clean(server: Server) -> None:
    """Killed in the middle of seals and writes, the chain is whole and every row under a seal: no false alarm."""
    server.stop()
    report = json.loads(done_(slipring("audit", "verify", "--json", data_dir=server.data_dir)))
    assert {name: told["findings"] for name, told in report["schemas"].items() if told["findings"]} == {}
    assert report["schemas"]["order"]["rows"] > 0


def _wait_for(http: httpx.Client, reference: str, holds: Any) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if holds(_checked(http.get(f"/fhir/{reference}"))):
            return
        time.sleep(0.05)
    raise AssertionError(f"{reference} did not get there")


def _search(http: httpx.Client, query: str) -> list[Tree]:
    return [entry["resource"] for entry in _checked(http.get(f"/fhir/{query}")).get("entry", [])]


def _post(http: httpx.Client, kind: str, resource: Tree) -> Tree:
    return _checked(http.post(f"/fhir/{kind}", content=json.dumps(resource), headers=_FHIR))


def _checked(answer: httpx.Response) -> Tree:
    assert answer.is_success, answer.text
    tree: Tree = answer.json()
    return tree

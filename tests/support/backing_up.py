"""A department whose backup was taken while more was written; and the command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from slipring_demo.cast import SYNTHETIC, C, cast_bundle
from slipring_demo.servers import free_port

from tests.support.server import Server

_FHIR = {"Content-Type": "application/fhir+json"}
_NUMBER = "http://terminology.hl7.org/CodeSystem/v2-0203"
Tree = dict[str, Any]


def slipring(*arguments: str | Path, data_dir: Path) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    command = [Path(sys.executable).with_name("slipring"), *arguments, "--data-dir", data_dir]
    return subprocess.Popen(
        list(map(str, command)), env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def done(process: subprocess.Popen[str], expected: int = 0) -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == expected, said
    return said


@dataclass
class World:
    """A department with records, its backup made while more was written, and what each address answered before."""

    server: Server
    backup: Path
    said: str
    texts: dict[str, bytes] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)  # imaging numbers, those given after the backup too


def backed_up(server: Server, target: Path) -> World:
    """Records of every kind, then a backup under load, then more records that it does not hold."""
    with server.loading() as http:
        people = cast(http)
    with server.client() as http:
        somebody_signs_in(server, next(reference for reference in people if reference.startswith("Practitioner/")))
        subscription = post(http, "Subscription", subscribing(f"http://127.0.0.1:{free_port()}/nobody"))
        made = World(server, target, "")
        references = [order(http, people, number) for number in range(6)]
        encounter = post(http, "Encounter", visit("edited"))
        for status in ("in-progress", "finished"):
            http.put(
                f"/fhir/Encounter/{encounter['id']}", json={**encounter, "status": status}, headers=_FHIR
            ).raise_for_status()
        gone = post(http, "Encounter", visit("gone"))
        http.delete(f"/fhir/Encounter/{gone['id']}").raise_for_status()
        kept = [*references, f"Encounter/{encounter['id']}", f"Subscription/{subscription['id']}", *people]
        for reference in kept:
            made.texts[reference] = http.get(f"/fhir/{reference}").content
            made.texts[f"{reference}/_history"] = entries(http.get(f"/fhir/{reference}/_history"))
        made.texts[f"Encounter/{gone['id']}/_history"] = entries(http.get(f"/fhir/Encounter/{gone['id']}/_history"))
        wait_for_copies(http, references)
        stopping = threading.Event()
        writers = [threading.Thread(target=write, args=(server, name, stopping)) for name in ("one", "two")]
        for writer in writers:
            writer.start()
        time.sleep(0.5)
        made.said = done(slipring("backup", made.backup, data_dir=server.data_dir))
        stopping.set()
        for writer in writers:
            writer.join()
        after = [order(http, people, number) for number in range(100, 104)]
        made.orders = [imaging_number(http.get(f"/fhir/{r}").json()) for r in [*references, *after]]
    return made


def somebody_signs_in(server: Server, practitioner: str) -> None:
    """An account, and a session of it that stands when the backup is made."""
    options = ("--practitioner", practitioner, "--role", "ct-nurse")
    password = done(slipring("account", "add", "nurse", *options, data_dir=server.data_dir)).strip()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as browser:
        shown = browser.get("/auth/sign-in").text
        token = shown.partition('name="form_token" value="')[2][:64]
        form = {"form_token": token, "name": "nurse", "password": password}
        assert browser.post("/auth/sign-in", data=form).status_code == 303


def write(server: Server, name: str, stopping: threading.Event) -> None:
    with server.client() as http:
        number = 0
        while not stopping.is_set():
            http.post("/fhir/Encounter", json=visit(f"{name}-{number}"), headers=_FHIR).raise_for_status()
            number += 1


def visit(value: str) -> Tree:
    return {
        "resourceType": "Encounter",
        "status": "planned",
        "class": {"code": "AMB"},
        "identifier": [{"system": "urn:test", "value": value}],
        "length": {"value": 1.50, "unit": "h"},
    }


def subscribing(url: str) -> Tree:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "orders",
        "criteria": "ServiceRequest?status=active",
        "channel": {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"},
    }


def cast(http: httpx.Client) -> list[str]:
    answer = http.post("/fhir", content=json.dumps(cast_bundle(with_patient=True)), headers=_FHIR).raise_for_status()
    return ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer.json()["entry"]]


def order(http: httpx.Client, people: list[str], number: int) -> str:
    patient = next(reference for reference in people if reference.startswith("Patient/"))
    requester = next(reference for reference in people if reference.startswith("Practitioner/"))
    request = {
        "resourceType": "ServiceRequest",
        "meta": SYNTHETIC,
        "status": "active",
        "intent": "order",
        "identifier": [
            {
                "type": {"coding": [{"system": _NUMBER, "code": "PLAC"}]},
                "system": f"{C}/his-order",
                "value": f"B-{number}",
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "30799-1"}]},
        "subject": {"reference": patient},
        "requester": {"reference": requester},
    }
    return f"ServiceRequest/{post(http, 'ServiceRequest', request)['id']}"


def imaging_number(request: Tree) -> str:
    return next(
        identifier["value"]
        for identifier in request["identifier"]
        if identifier.get("type", {}).get("coding", [{}])[0].get("code") == "ACSN"
    )


def wait_for_copies(http: httpx.Client, requests: list[str]) -> None:
    """Until consent and report know every request; the engine page of each says how far behind its copies are."""
    end = time.monotonic() + 90
    for reference in requests:
        subject = http.get(f"/fhir/{reference}").json()["subject"]
        while True:
            draft = {
                "subject": subject,
                "resourceType": "DiagnosticReport",
                "status": "registered",
                "basedOn": [{"reference": reference}],
                "code": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]},
            }
            answer = http.post("/fhir/DiagnosticReport", json=draft, headers=_FHIR)
            if answer.status_code == 201:
                break
            assert time.monotonic() < end, answer.text
            time.sleep(0.1)


def entries(answer: httpx.Response) -> bytes:
    """The history without its links, which hold a cursor made for this answer."""
    tree = answer.raise_for_status().json()
    kept = [{"resource": entry.get("resource"), "request": entry.get("request")} for entry in tree["entry"]]
    return json.dumps(kept).encode()


def post(http: httpx.Client, kind: str, resource: Tree) -> Tree:
    answer = http.post(f"/fhir/{kind}", content=json.dumps(resource), headers=_FHIR)
    assert answer.is_success, answer.text
    tree: Tree = answer.json()
    return tree

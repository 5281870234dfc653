"""Create, read and transaction beside the echo and the rivals: every block measured in turn, round by round."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.bench import rivals, samples, serving
from tests.bench.load import Figures, Next, drive, http, in_turn

ENTRIES = 20  # resources in one transaction
_READ_IDS = 500
_PHYSICIANS = 50
_PATIENTS = 400
_WARM_SECONDS = 1.5


@dataclass(frozen=True)
class Conditions:
    """How hard and how long."""

    connections: int
    seconds: float
    rounds: int


@dataclass
class Served:
    """A running server as the load sees it; `folder` is set for ours, whose database counts too."""

    port: int
    process: int
    folder: Path | None = None

    def used(self) -> tuple[float, float] | None:
        """Processor seconds of the server and of its database so far."""
        own = serving.processor_seconds(self.process)
        if own is None:
            return None
        database = serving.processor_seconds(serving.postmaster(self.folder), with_children=True) if self.folder else 0
        return own, database or 0.0


Rounds = dict[str, list[Figures]]


async def measure(folder: Path, conditions: Conditions, say: Callable[[str], None]) -> tuple[Rounds, dict[str, str]]:
    """The figures of each block by round, and what could not be measured and why."""
    left_out: dict[str, str] = {}
    with ExitStack() as running:
        ours_port, echo_port, rival_port = (serving.free_port() for _ in range(3))
        ours = Served(ours_port, running.enter_context(serving.slipring(folder, ours_port)).pid, folder)
        echo = Served(echo_port, running.enter_context(serving.echo(echo_port)).pid)
        rival = None
        try:
            command = rivals.fhirstarter_command(rival_port)
            ready = f"http://127.0.0.1:{rival_port}/metadata"
            process = running.enter_context(serving.started(command, ready, FHIR_SEQUENCE="R4B"))
            rival = Served(rival_port, process.pid)
        except (rivals.Unavailable, SystemExit) as reason:
            left_out["fhirstarter create"] = left_out["fhirstarter read"] = str(reason)
        rounds: Rounds = {}
        for number in range(1, conditions.rounds + 1):
            for name, server, request in _blocks(folder, ours, echo, rival):
                figures = await _block(server, request, conditions)
                rounds.setdefault(name, []).append(figures)
                say(f"round {number}  {name:22}{figures.per_second:9.0f}/s  p99 {figures.p99_ms:7.1f} ms")
    return rounds, left_out


async def _block(server: Served, request: Next, conditions: Conditions) -> Figures:
    await drive(server.port, request, connections=conditions.connections, seconds=_WARM_SECONDS)
    before = server.used()
    figures = await drive(server.port, request, connections=conditions.connections, seconds=conditions.seconds)
    after = server.used()
    if before is None or after is None:
        return figures
    requests = figures.per_second * conditions.seconds
    own, database = (1e6 * (end - begin) / requests for begin, end in zip(before, after, strict=True))
    return replace(figures, server_us=own, database_us=database if server.folder else None)


def _blocks(folder: Path, ours: Served, echo: Served, rival: Served | None) -> list[tuple[str, Served, Next]]:
    """What one round measures, with a fresh token: it is good for five minutes."""
    token = serving.access_token(folder)
    base = "/order/fhir"
    one = json.dumps(samples.prescription()).encode()
    made = _made(ours.port, token, base, [samples.prescription(f"read-{n}") for n in range(_READ_IDS)])
    people = _made(ours.port, token, base, [samples.patient(n) for n in range(_PATIENTS)])
    # A hospital's requests come from many: what is known of one requester must stand still while his request is judged.
    physicians = _made(ours.port, token, base, [samples.requester(n) for n in range(_PHYSICIANS)])
    orders = [samples.order(person, physicians[n % _PHYSICIANS]) for n, person in enumerate(people)]
    blocks = [
        ("echo", echo, in_turn([http("POST", "/echo", body=one)])),
        ("create", ours, samples.posting(f"{base}/MedicationRequest", token, samples.prescription())),
        ("read", ours, in_turn(http("GET", f"{base}/{reference}", token) for reference in made)),
        ("transaction", ours, samples.posting(base, token, samples.transaction(ENTRIES))),
        ("create, all rules", ours, samples.posting_in_turn(f"{base}/ServiceRequest", token, orders)),
    ]
    if rival:
        with httpx.Client(base_url=f"http://127.0.0.1:{rival.port}") as client:
            answer = client.post("/MedicationRequest", json=samples.prescription("rival")).raise_for_status()
        blocks += [
            ("fhirstarter create", rival, samples.posting("/MedicationRequest", "", samples.prescription())),
            ("fhirstarter read", rival, in_turn([http("GET", f"/MedicationRequest/{answer.json()['id']}")])),
        ]
    return blocks


def _made(port: int, token: str, base: str, trees: list[dict[str, Any]]) -> list[str]:
    """Store resources in one transaction; their references."""
    entries = [{"request": {"method": "POST", "url": tree["resourceType"]}, "resource": tree} for tree in trees]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    answer = httpx.post(f"http://127.0.0.1:{port}{base}", json=bundle, headers=headers, timeout=120).raise_for_status()
    located = [entry["response"]["location"] for entry in answer.json()["entry"]]
    return ["/".join(location.split("/_history/")[0].rsplit("/", 2)[-2:]) for location in located]

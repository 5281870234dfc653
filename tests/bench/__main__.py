"""`make bench`: create and read beside a bare Starlette echo, in one run on one machine.

Switched on: token check, validation, version, search rows, business keys, audit, outbox, fan-out, synchronous commit.
Not in it: clinical rules, subscribers, the request log. App, database and load generator share the machine's cores: use the ratios.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx
from slipring.identity.client import api_client
from slipring.runtime.postgres import stop

from tests.bench.load import Figures, drive, http

_SECONDS = 5.0
_CONNECTIONS = 32
_ROUNDS = 3


def prescription() -> bytes:
    """A MedicationRequest of about 2 KB with an identifier of its own: kept by order, followed by nobody, no rules."""
    coding = {"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}
    tree = {
        "resourceType": "MedicationRequest",
        "identifier": [{"use": "official", "system": "urn:oid:2.16.156.10011.1.12", "value": str(uuid.uuid4())}],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [coding], "text": "x" * 200} for _ in range(4)],
        "medicationCodeableConcept": {"coding": [coding]},
        "subject": {"reference": f"Patient/o-{uuid.uuid4()}", "display": "Synthetic"},
        "authoredOn": "2026-11-23T08:00:00.120+08:00",
        "reasonCode": [
            {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": f"J{n:02d}"}]} for n in range(10)
        ],
    }
    return json.dumps(tree).encode()


def main() -> None:
    """Start both servers, measure in turn, print the table."""
    folder = Path(tempfile.mkdtemp(prefix="slipring-bench-"))
    port, echo_port = _free_port(), _free_port()
    environment = {"SLIPRING_LOG_LEVEL": "warning"} | {
        k: v for k, v in os.environ.items() if not k.startswith("SLIPRING_")
    }
    binaries = Path(sys.executable).parent
    slipring = [str(binaries / "slipring"), "serve", "--all", "--demo", "--port", str(port), "--data-dir", str(folder)]
    echo = [sys.executable, "-m", "uvicorn", "tests.bench.echo:app", "--port", str(echo_port), "--log-level", "warning"]
    servers = [subprocess.Popen(command, env=environment) for command in (slipring, echo)]
    try:
        os.environ["SLIPRING_URL"] = f"http://127.0.0.1:{port}"
        _wait(f"http://127.0.0.1:{port}/health/ready")
        _wait(f"http://127.0.0.1:{echo_port}/echo")
        asyncio.run(_measure(port, echo_port, folder))
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(port: int, echo_port: int, folder: Path) -> None:
    print(f"{platform.platform()}, {os.cpu_count()} cores, {_CONNECTIONS} connections, {_SECONDS:.0f} s a block")
    sample = prescription()
    with api_client(data_dir=folder) as client:
        made = client.post("/fhir/MedicationRequest", content=sample, headers={"Content-Type": "application/fhir+json"})
        made.raise_for_status()
        reference = f"MedicationRequest/{made.json()['id']}"
    for number in range(1, _ROUNDS + 1):
        with api_client(data_dir=folder) as client:
            token = (
                client.get("/fhir/MedicationRequest?_count=1").request.headers["Authorization"].removeprefix("Bearer ")
            )
        base = await drive(
            echo_port, lambda: http("POST", "/echo", body=sample), connections=_CONNECTIONS, seconds=_SECONDS
        )
        create = await drive(
            port,
            lambda t=token: http("POST", "/order/fhir/MedicationRequest", t, prescription()),
            connections=_CONNECTIONS,
            seconds=_SECONDS,
        )
        read = await drive(
            port, lambda t=token: http("GET", f"/order/fhir/{reference}", t), connections=_CONNECTIONS, seconds=_SECONDS
        )
        for name, figures in (("echo", base), ("create", create), ("read", read)):
            print(_row(number, name, figures, base))


def _row(number: int, name: str, figures: Figures, base: Figures) -> str:
    return (
        f"round {number}  {name:7}{figures.per_second:9.0f}/s {100 * figures.per_second / base.per_second:6.1f} % of echo"
        f"   p50 {figures.p50_ms:6.1f} ms   p99 {figures.p99_ms:6.1f} ms   refused {figures.refused}"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(url, timeout=2).status_code in (200, 405):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


if __name__ == "__main__":
    main()

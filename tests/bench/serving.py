"""The processes under load: started, waited for, stopped, and how much processor time they used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from slipring.identity.client import api_client
from slipring.runtime.postgres import stop

ROOT = Path(__file__).parents[2]
_UNLIMITED = {"SLIPRING_CLIENT_RATE": "1000000", "SLIPRING_CLIENT_BURST": "1000000"}  # counted all the same


@contextmanager
def started(command: Sequence[str], ready: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server from its start until it is no longer needed; `ready` is an address that answers when it serves."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SLIPRING_")}
    server = subprocess.Popen(command, env=inherited | environment, cwd=ROOT)
    try:
        wait_for(ready)
        yield server
    finally:
        server.terminate()
        server.wait()


@contextmanager
def slipring(folder: Path, port: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """All services and the front in one process on the embedded database in `folder`, without the request log."""
    command = [str(Path(sys.executable).parent / "slipring"), "serve", "--all", "--demo", "--port", str(port)]
    os.environ["SLIPRING_URL"] = f"http://127.0.0.1:{port}"  # for the client that fetches tokens
    ready = f"http://127.0.0.1:{port}/health/ready"
    with started(
        [*command, "--data-dir", str(folder)], ready, SLIPRING_LOG_LEVEL="warning", **_UNLIMITED, **more
    ) as server:
        try:
            yield server
        finally:
            server.terminate()
            server.wait()
            stop(folder)


@contextmanager
def apart(folder: Path, replicas: int) -> Iterator[tuple[dict[str, list[int]], list[subprocess.Popen[bytes]]]]:
    """Each service in a process of its own and order in several, on one embedded database; the ports of each."""
    ports = {name: [free_port()] for name in ("front", "order", "consent", "report", "critical")}
    ports["order"] += [free_port() for _ in range(replicas - 1)]
    addresses = {f"SLIPRING_{name.upper()}_URL": f"http://127.0.0.1:{held[0]}" for name, held in ports.items()}
    address = addresses["SLIPRING_FRONT_URL"]
    settings = {**_UNLIMITED, **addresses, "SLIPRING_URL": address, "SLIPRING_LOG_LEVEL": "warning"}
    os.environ["SLIPRING_URL"] = address
    program = str(Path(sys.executable).parent / "slipring")
    with ExitStack() as running:
        running.callback(stop, folder)
        servers = [
            running.enter_context(
                started(
                    [program, "serve", name, "--demo", "--port", str(port), "--data-dir", str(folder)],
                    f"http://127.0.0.1:{port}{_place(name)}/health/live",
                    **settings,
                )
            )
            for name, held in ports.items()
            for port in held
        ]
        for name, held in ports.items():
            for port in held:
                wait_for(f"http://127.0.0.1:{port}{_place(name)}/health/ready")
        yield ports, servers


def _place(name: str) -> str:
    """Where a process of its own answers."""
    return "" if name == "front" else f"/{name}"


@contextmanager
def echo(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The yardstick: a bare Starlette route under the same uvicorn."""
    command = [sys.executable, "-m", "uvicorn", "tests.bench.echo:app", "--port", str(port), "--log-level", "warning"]
    with started(command, f"http://127.0.0.1:{port}/echo") as server:
        yield server


def access_token(folder: Path, client_id: str | None = None, scope: str | None = None) -> str:
    """A fresh access token of the demo's HIS, or of another client."""
    with api_client(None, client_id, scope, data_dir=folder) as client:
        asked = client.get("/fhir/MedicationRequest?_count=1").request
        return str(asked.headers["Authorization"].removeprefix("Bearer "))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, seconds: float = 240) -> None:
    """Until the address answers that it serves."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=2).status_code in (200, 405):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


def postmaster(folder: Path) -> int:
    """The process of the embedded database."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def processor_seconds(process: int, *, with_children: bool = False) -> float | None:
    """Processor time of a process so far, of its direct children too if asked; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    ticks = 0
    for entry in Path("/proc").iterdir() if with_children else [Path(f"/proc/{process}")]:
        if entry.name.isdigit() and (fields := _fields(entry)) and process in (int(entry.name), int(fields[1])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_megabytes(process: int) -> float | None:
    """Memory a process holds; None where there is no /proc."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmRSS"))


def _fields(entry: Path) -> list[str]:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

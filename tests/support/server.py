"""A real server process that tests may kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from slipring.fhir.caller import DRAFT_READ
from slipring.identity.client import BackendAuth
from slipring.identity.clients import DEMO_DEPARTMENT, DEMO_HIS
from slipring.identity.keys import key_file
from slipring.identity.scopes import LOADING
from slipring.runtime.postgres import stop
from slipring_demo.servers import free_port


@dataclass
class Server:
    """`slipring serve --all --demo` as a process of its own, on a data directory that outlives it."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ("--all",)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None  # where its log goes; None: where the test's goes

    @property
    def url(self) -> str:
        """Where the front answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, seconds: float = 90) -> float:
        """Start and wait until ready; how long that took."""
        begun = time.monotonic()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
        command = [str(Path(sys.executable).with_name("slipring")), "serve", *self.arguments, "--demo"]
        command += ["--port", str(self.port), "--data-dir", str(self.data_dir)]
        told = self.log.open("ab") if self.log else None
        self.process = subprocess.Popen(
            command, env=clean | self.environment, stdout=told or subprocess.DEVNULL, stderr=told
        )
        while time.monotonic() - begun < seconds:
            assert self.process.poll() is None, "the server ended while starting"
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2, trust_env=False).status_code == 200:
                    return time.monotonic() - begun
            except httpx.HTTPError:
                pass
            time.sleep(0.03)
        raise AssertionError(f"not ready within {seconds} s")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def client(self, scope: str = "system/*.cruds", name: str = DEMO_HIS) -> httpx.Client:
        """The demo HIS, or another client whose key lies in the data directory."""
        auth = BackendAuth(f"{self.url}/auth/token", name, key_file(self.data_dir, name), scope)
        return httpx.Client(base_url=self.url, auth=auth, timeout=30, trust_env=False)

    def loading(self) -> httpx.Client:
        """Whoever brings history in, such as the competence of the demo's cast."""
        return self.client(LOADING, DEMO_DEPARTMENT)

    def department(self) -> httpx.Client:
        """The demo department, which sees its own drafts."""
        return self.client(f"system/*.cruds {DRAFT_READ}", DEMO_DEPARTMENT)


@contextmanager
def running(folder: Path, prepared: Callable[[Server], Server] = lambda server: server) -> Iterator[Server]:
    """A server on a new folder; it, its database and the folder are gone afterwards, also where it does not become ready."""
    server = prepared(Server(folder))
    try:
        server.start(seconds=120)
        yield server
    finally:
        server.stop()
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)

"""Starts the services for the story: together in one process, or each as its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

_NAMES = ("front", "order", "consent", "report", "critical")
_LADDER = Path(__file__).with_name("ladder.toml")
_READY_SECONDS = 180


@dataclass
class Servers:
    """Running processes and the address of the front."""

    data_dir: Path
    url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def stop(self) -> None:
        """Stop what was started, by its pid."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(data_dir: Path, *, apart: bool, port: int) -> Servers:
    """Start everything in demo mode and wait until it is ready; `port` 0 takes a free one."""
    ports = {"front": port or free_port()}
    ports |= {name: free_port() for name in _NAMES[1:]} if apart else {}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    environment |= {
        "SLIPRING_LOG_LEVEL": "warning",
        "SLIPRING_LADDER": str(_LADDER),
        "SLIPRING_DATA_DIR": str(data_dir),
    }
    environment |= {
        f"SLIPRING_{name.upper()}_URL": f"http://127.0.0.1:{number}" for name, number in ports.items() if apart
    }
    servers = Servers(data_dir, f"http://127.0.0.1:{ports['front']}")
    slipring = str(Path(sys.executable).with_name("slipring"))
    for what, number in ports.items():
        name = what if apart else "--all"
        command = [slipring, "serve", name, "--demo", "--port", str(number), "--data-dir", str(data_dir)]
        servers.processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
    try:
        _wait(servers)
    except BaseException:
        servers.stop()
        raise
    return servers


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a loopback port can be taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait(servers: Servers) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        if any(process.poll() is not None for process in servers.processes):
            raise RuntimeError("a service ended while starting; its words stand above")
        try:
            if httpx.get(f"{servers.url}/health/ready", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the services were not ready within {_READY_SECONDS} s")

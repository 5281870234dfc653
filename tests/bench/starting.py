"""How long all four services and the front take to be ready in one process, and what memory they hold then."""

from __future__ import annotations

import time
from pathlib import Path

from slipring.runtime.postgres import ensure_running

from tests.bench import serving


def measure(folder: Path, rounds: int) -> list[tuple[float, float | None]]:
    """Seconds to ready and resident megabytes, warm: the database runs, its schemas are made, files are cached."""
    found = []
    with serving.slipring(folder, serving.free_port()):
        pass  # makes schemas and keys
    for _ in range(rounds):
        ensure_running(folder)
        begun = time.perf_counter()
        with serving.slipring(folder, serving.free_port()) as server:
            seconds = time.perf_counter() - begun
            time.sleep(2)  # validators are compiled behind the start: their memory counts
            found.append((seconds, serving.resident_megabytes(server.pid)))
    return found

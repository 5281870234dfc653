"""A replica as a process of its own, which a test may kill or pause: the loops of two small services on one database.

Run as `python -m tests.support.replica DATA_DIR PREFIX`; it says `ready` when its loops run.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import uvloop
from slipring.fhir.service import (
    Arrival,
    Call,
    Changes,
    Desk,
    Due,
    Errand,
    Follows,
    Keeps,
    Operation,
    Parameter,
    Save,
    Service,
    Wake,
    successor,
)

from tests.fhir.place import Street, opened
from tests.support.backport import DONE

ROOT = Path(__file__).parents[2]
DELIVERY_SECONDS = 2.0
BEFORE_A_WORD_SECONDS = 2.0


async def arm(call: Call, desk: Desk) -> Changes:
    """Ring so many seconds from now."""
    assert call.target is not None
    subject = call.target.reference
    return Changes(wake=[Wake("ring", subject, timedelta(seconds=float(call.value("seconds"))), key=f"ring:{subject}")])


async def ring(due: Due, desk: Desk) -> Changes:
    """One note for each ringing."""
    task = await desk.read(due.subject)
    assert task is not None
    return Changes(save=[successor(task, note=[*task.resource.get("note", []), {"text": "rung"}])])


async def tell(call: Call, desk: Desk) -> Changes:
    """Send word of a task to an address."""
    assert call.target is not None
    subject = call.target.reference
    return Changes(wake=[Wake("word", subject, key=f"word:{subject}", payload={"url": str(call.value("url"))})])


async def word(errand: Errand, desk: Desk, http: httpx.AsyncClient) -> Changes:
    """One POST, after a moment in which a test may pause the worker; a note when it has been taken."""
    task = await desk.read(errand.subject)
    assert task is not None
    await asyncio.sleep(BEFORE_A_WORD_SECONDS)
    if not errand.held():
        raise TimeoutError("another worker has it")
    headers = {"Idempotency-Key": errand.attempt_id, "Slipring-Repeat": str(errand.repeat).lower()}
    await http.post(str(errand.payload["url"]), content=errand.subject.encode(), headers=headers)
    return Changes(save=[successor(task, note=[*task.resource.get("note", []), {"text": "told"}])])


async def arrived(arrival: Arrival, desk: Desk) -> Changes:
    """One issue for each task, made with the first version that arrives."""
    if arrival.before is not None or arrival.deleted:
        return Changes.none()
    issue = {"resourceType": "DetectedIssue", "id": desk.new_id(), "status": "final", "detail": arrival.resource["id"]}
    return Changes(save=[Save(issue)])


ORDER = Service(
    "order",
    "o",
    "x",
    keeps=[Keeps("Task"), Keeps("Patient")],
    operations=[
        Operation("Task", "arm", arm, parameters=(Parameter("seconds", "decimal", min=1),)),
        Operation("Task", "tell", tell, parameters=(Parameter("url", "url", min=1),)),
    ],
    timers={"ring": ring},
    errands={"word": word},
    topics=[DONE],
)
REPORT = Service("report", "r", "y", keeps=[Keeps("DetectedIssue")], follows=[Follows("order", "Task", then=arrived)])


@dataclass
class Replica:
    """One process."""

    data_dir: Path
    prefix: str
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until its loops run."""
        command = [sys.executable, "-m", "tests.support.replica", str(self.data_dir), self.prefix]
        self.process = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        while b"ready" not in (line := await asyncio.to_thread(self.process.stdout.readline)):
            assert line, "the replica ended while starting"

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """SIGSTOP: it stands still, its connections stay open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, however it stands."""
        if self.process is not None and self.process.poll() is None:
            self.kill()


@asynccontextmanager
async def two_replicas(data_dir: Path, prefix: str) -> AsyncIterator[tuple[Street, list[Replica]]]:
    """Both services for somebody who writes, without loops, and two processes that do the rest."""
    replicas = [Replica(data_dir, prefix) for _ in range(2)]
    try:
        async with opened(data_dir, ORDER, REPORT, schema_prefix=prefix) as street:
            await asyncio.gather(*(replica.start() for replica in replicas))
            yield street, replicas
    finally:
        for replica in replicas:
            replica.stop()


async def serve(data_dir: Path, prefix: str) -> None:
    """Run the loops until the process is ended."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    world = httpx.AsyncClient(limits=limits, trust_env=False)
    around = {"schema_prefix": prefix, "pool_size": 8, "delivery_seconds": DELIVERY_SECONDS, "http": world}
    async with opened(data_dir, ORDER, REPORT, **around) as street:
        for place in street.places.values():
            await place.running.start()
        print("ready", flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2]))

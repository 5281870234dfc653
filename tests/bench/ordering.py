"""CT requests through all rules: what one costs, how many a second come through, and how late the slowest is answered.

Patients have diagnoses, results and earlier examinations; requesters have roles; of the varied requests one in ten
lacks something. `replicas` 0: everything in one process; else so many processes of order beside one of each other
service, asked in turn. The services that follow order are at work in every figure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx
from slipring.runtime.postgres import ensure_running

from tests.bench import serving, wards
from tests.bench.load import Figures, Next, drive
from tests.bench.wards import Person, Tree

_BASE = "/order/fhir"
_PATIENTS, _REQUESTERS = 1200, 60
_WANTING_ONE_IN = 10
_WARM_SECONDS = 3.0
_IN_A_BUNDLE = 10


@dataclass(frozen=True)
class Block:
    """One row: what was asked, what became of it."""

    name: str
    figures: Figures
    requests_each: int = 1  # CT requests in one HTTP request
    follow_seconds: float = 0.0  # from the end of the load until its events had been taken over by all who follow


@dataclass(frozen=True)
class _Served:
    folder: Path
    ports: Sequence[int]
    processes: Sequence[int]
    front: int

    def used(self) -> tuple[float, float]:
        own = sum(serving.processor_seconds(process) or 0 for process in self.processes)
        return own, serving.processor_seconds(serving.postmaster(self.folder), with_children=True) or 0


async def measure(
    folder: Path, *, connections: int, seconds: float, rate: float, replicas: int, say: Callable[[str], None]
) -> list[Block]:
    """Each kind of request by itself, as fast as it goes; then all kinds at `rate` a second by the clock."""
    found = []
    with _served(folder, replicas) as served:
        people, requesters = _hospital(served)
        connection = await asyncpg.connect(ensure_running(folder), server_settings={"search_path": "order"})
        try:
            await connection.execute("ANALYZE")
            for name, ask, each in _kinds(people, requesters):
                load = {"connections": connections, "seconds": seconds}
                found.append(await _block(served, connection, name, ask, each, load))
                say(line(found[-1]))
            for name, ask, each in list(_kinds(people, requesters))[2:3] if rate else []:
                load = {"connections": 4 * connections, "seconds": seconds, "rate": rate}
                found.append(await _block(served, connection, f"{name}, {rate:g}/s by the clock", ask, each, load))
                say(line(found[-1]))
        finally:
            await connection.close()
    return found


def line(block: Block) -> str:
    """One row in words; processor time is for one CT request."""
    f, each = block.figures, block.requests_each
    own, database = (f"{(spent or 0) / each / 1000:5.2f}" for spent in (f.server_us, f.database_us))
    return (
        f"{block.name:34} {f.per_second * each:6.1f}/s  p50 {f.p50_ms:6.0f} ms  p99 {f.p99_ms:6.0f} ms  refused {f.refused}"
        f"  services {own} ms  PostgreSQL {database} ms  followed after {block.follow_seconds:.1f} s"
    )


Ask = Callable[[str], Next]  # with a fresh token


def _kinds(people: Sequence[Person], requesters: Sequence[str]) -> Iterator[tuple[str, Ask, int]]:
    def requests(wanting_one_in: int) -> list[Tree]:
        return [
            wards.request(
                n, person, requesters[n % len(requesters)], wanting=bool(wanting_one_in) and n % wanting_one_in == 0
            )
            for n, person in enumerate(people)
        ]

    clean, varied = requests(0), requests(_WANTING_ONE_IN)
    path = f"{_BASE}/ServiceRequest"
    yield "clean", lambda token: wards.posted(path, token, clean), 1
    yield "varied", lambda token: wards.posted(path, token, varied), 1
    yield "varied, only if new", lambda token: wards.posted(path, token, varied, once=True), 1
    bundles = f"transactions of {_IN_A_BUNDLE}"
    yield bundles, lambda token: wards.bundled(_BASE, token, varied, _IN_A_BUNDLE), _IN_A_BUNDLE


async def _block(
    served: _Served, connection: asyncpg.Connection, name: str, ask: Ask, each: int, load: dict[str, float]
) -> Block:
    request = ask(serving.access_token(served.folder))
    await drive(served.ports, request, **{**load, "seconds": _WARM_SECONDS})  # type: ignore[arg-type]
    await _followed(connection)
    before, stored = served.used(), await _stored(connection)
    figures = await drive(served.ports, request, **load)  # type: ignore[arg-type]
    followed = await _followed(connection)
    after = served.used()
    made = await _stored(connection) - stored
    if not figures.refused and made % each:
        raise SystemExit(f"{name}: {made} requests are stored")
    own, database = (1e6 * each * (end - begin) / made for begin, end in zip(before, after, strict=True))
    return Block(name, replace(figures, server_us=own, database_us=database), each, followed)


async def _stored(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM resource WHERE type = 'ServiceRequest'"))


async def _followed(connection: asyncpg.Connection) -> float:
    """Seconds until every event is delivered to whoever follows: their work is part of the price."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while await connection.fetchval(
        "SELECT EXISTS (SELECT FROM outbox WHERE NOT fanned_out) OR EXISTS (SELECT FROM delivery WHERE state = 'waiting')"
    ):
        await asyncio.sleep(0.05)
    return loop.time() - begun


def _hospital(served: _Served) -> tuple[list[Person], list[str]]:
    token = serving.access_token(served.folder)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.ports[0]}", headers=headers, timeout=120) as client:

        def made(bundle: Tree) -> list[str]:
            answer = client.post(_BASE, json=bundle)
            if not answer.is_success:
                raise SystemExit(answer.text)
            located = [entry["response"]["location"] for entry in answer.json()["entry"]]
            return ["/".join(one.split("/_history/")[0].rsplit("/", 2)[-2:]) for one in located]

        staff = wards.bundles((n, wards.requester(n)) for n in range(_REQUESTERS))
        requesters = [one for bundle in staff for one in made(bundle) if one.startswith("Practitioner/")]
        numbers = range(_PATIENTS)
        histories = wards.bundles((n, wards.history(n)) for n in numbers)
        return wards.people(numbers, [one for bundle in histories for one in made(bundle)]), requesters


@contextmanager
def _served(folder: Path, replicas: int) -> Iterator[_Served]:
    if not replicas:
        port = serving.free_port()
        with serving.slipring(folder, port) as server:
            yield _Served(folder, [port], [server.pid], port)
        return
    with serving.apart(folder, replicas) as (ports, servers):
        yield _Served(folder, ports["order"], [server.pid for server in servers], ports["front"][0])

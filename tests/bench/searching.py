"""The first page of 20 in four shapes, at growing sizes: one client, one search at a time, a new value each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg
from slipring.runtime.postgres import ensure_running

from tests.bench import population, serving
from tests.bench.load import drive, http, in_turn

SHAPES = ("rare token", "common token by date", "reference and date", "two tokens")
_VALUES = 400  # different searches of a shape
_WARM_SECONDS = 2.0


@dataclass(frozen=True)
class Found:
    """Latencies of one shape at one size."""

    resources: int
    shape: str
    p50_ms: float
    p99_ms: float
    searches: int


async def measure(folder: Path, sizes: Sequence[int], seconds: float, say: Callable[[str], None]) -> list[Found]:
    """Grow the store from size to size and search it at each."""
    found = []
    port = serving.free_port()
    loaded = 0
    with serving.slipring(folder, port):
        connection = await asyncpg.connect(ensure_running(folder), server_settings={"search_path": "order"})
        try:
            for size in sorted(sizes):
                await population.grow(connection, loaded, size, say)
                loaded = size
                token = serving.access_token(folder)
                for shape in SHAPES:
                    asked = in_turn(http("GET", path, token) for path in _searches(shape, size))
                    await drive(port, asked, connections=1, seconds=_WARM_SECONDS)
                    took = await drive(port, asked, connections=1, seconds=seconds)
                    if took.refused:
                        raise SystemExit(f"{took.refused} searches were refused ({shape})")
                    found.append(Found(size, shape, took.p50_ms, took.p99_ms, round(took.per_second * seconds)))
                    say(f"{size:>9} resources  {shape:22} p50 {took.p50_ms:6.1f} ms  p99 {took.p99_ms:6.1f} ms")
        finally:
            await connection.close()
    return found


def _searches(shape: str, size: int) -> list[str]:
    choose = random.Random(population.SEED)
    return [f"/order/fhir/ServiceRequest?{_query(shape, size, choose)}" for _ in range(_VALUES)]


def _query(shape: str, size: int, choose: random.Random) -> str:
    if shape == "rare token":
        return f"identifier=urn:bench:placer%7CPL{choose.randrange(size)}"
    if shape == "common token by date":
        code = choose.choice(population.CODES[:3])
        return f"{choose.choice(('status=completed', 'status=active', f'code={code}'))}&_sort=-authored"
    if shape == "reference and date":
        return f"subject={quote(population.patient_of(size, choose))}&authored=ge2024-0{choose.randrange(1, 10)}-01"
    code = choose.choice(population.CODES[:20])
    return f"status={choose.choice(('active', 'revoked'))}&code=http://loinc.org%7C{code}"

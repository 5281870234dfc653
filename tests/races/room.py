"""What the races of the department have in common: a write that may come too late, and a copy on its way."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from tests.races.race import Done
from tests.support.department import Department

Tree = dict[str, Any]
_PATIENCE_SECONDS = 20


def pool(department: Department, name: str) -> Any:
    """The connections of one service."""
    return department.house.services[name].kernel.store.pool


def importer(department: Department) -> httpx.AsyncClient:
    """Who may put things back as they were: history is stored as it is."""
    return department.client("demo-his", "system/*.cruds slipring/import")


def done(tree: Tree) -> Done:
    """What was stored."""
    return Done((f"{tree['resourceType']}/{tree['id']}", int(tree["meta"]["versionId"])))


async def put(department: Department, tree: Tree, client: httpx.AsyncClient | None = None) -> Tree:
    """Write what must be taken; who is asked to come again does so."""
    for _ in range(20):
        answer = await department.put(tree, client)
        if answer.status_code != 503:
            break
    assert answer.status_code == 200, answer.text
    stored: Tree = answer.json()
    return stored


async def arrived(department: Department, name: str, tree: Tree) -> Done:
    """Wait until a service holds this version as its copy."""
    version, begun = int(tree["meta"]["versionId"]), time.monotonic()
    while time.monotonic() - begun < _PATIENCE_SECONDS:
        held = await pool(department, name).fetchval(
            "SELECT version FROM resource WHERE type = $1 AND id = $2", tree["resourceType"], tree["id"]
        )
        if held is not None and held >= version:
            return done(tree)
        await asyncio.sleep(0.003)
    raise AssertionError(f"{tree['resourceType']}/{tree['id']} did not arrive at {name}")


async def way(department: Department, name: str, tree: Tree) -> float:
    """How long a change of this resource is on its way to a service, in seconds; the shortest of some."""
    spans = []
    for _ in range(4):
        begun = time.perf_counter()
        tree = await put(department, tree)
        await arrived(department, name, tree)
        spans.append(time.perf_counter() - begun)
    return min(spans)


async def over(department: Department, exam: str) -> None:
    """Whatever was permitted for an exam is taken back: the next round asks for the first injection again."""
    running = await department.found("MedicationAdministration?status=in-progress&_count=100")
    for one in running:
        if any(entry["reference"] == exam for entry in one["supportingInformation"]):
            await put(department, one | {"status": "entered-in-error"})

"""Synthea's files through `slipring load` into the real kernel: services that only keep, no rules in between."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from slipring.fhir.service import Keeps, Service
from slipring.front.load import Summary, load_files
from slipring.front.owners import LETTERS, the_owners
from slipring.identity.client import api_client
from slipring.identity.scopes import LOADING
from slipring.process import Plan, opened
from slipring.runtime.clock import SystemClock
from slipring.runtime.postgres import stop
from slipring.runtime.settings import Settings

DATA = Path(__file__).parents[3] / "shared" / "data" / "synthea"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not on this machine")


def keepers() -> dict[str, Service]:
    """The four services by the front's own table, without handlers."""
    types = [kept for kept in the_owners().types if kept != "Subscription"]
    return {
        name: Service(name, letter, name, [Keeps(t) for t in types if name in the_owners().keepers_of(t)])
        for letter, name in LETTERS.items()
    }


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    data_dir = tmp_path_factory.mktemp("real-load")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("front", *LETTERS.values())
    plan = Plan(names, Settings(), True, "127.0.0.1", port, data_dir, SystemClock(), keepers(), pool_size=5)
    async with opened(plan) as house:
        config = uvicorn.Config(house, port=port, log_level="warning", lifespan="off", access_log=False)
        serving = uvicorn.Server(config)
        answering = asyncio.create_task(serving.serve())
        while not serving.started:
            await asyncio.sleep(0.01)
        yield plan.url, data_dir
        serving.should_exit = True
        await answering
    await asyncio.to_thread(stop, data_dir)


async def load(server: tuple[str, Path], *patterns: str) -> Summary:
    url, data_dir = server
    paths = [path for pattern in patterns for path in sorted(DATA.glob(pattern))]

    def run() -> Summary:
        with api_client(url, scope=LOADING, data_dir=data_dir) as http:
            return load_files(paths, http, lambda _: None)

    return await asyncio.to_thread(run)


async def test_hospital_practitioners_and_the_large_patient_load_in_under_a_minute(server: tuple[str, Path]) -> None:
    """2,279 entries and 778 before them; Claims and the like are named, nothing is refused, nothing dangles."""
    started = time.monotonic()
    staff = await load(server, "0-hospital*", "0-practitioner*")
    assert (staff.stored.total(), staff.refused.total()) == (778, 0), staff.reasons
    patient = await load(server, "d614dcb6*")
    took = time.monotonic() - started
    assert patient.reasons == []
    assert patient.unresolved == 0
    assert patient.stored["Observation"] == 1495
    assert patient.stored["ImagingStudy"] == 29
    assert patient.stored.total() + patient.skipped.total() == 2279
    assert {"Claim", "ExplanationOfBenefit", "Immunization", "CarePlan", "CareTeam"} == set(patient.skipped)
    assert took < 60, f"{took:.1f} s"
    again = await load(server, "d614dcb6*")
    assert (again.stored.total(), again.there.total()) == (0, patient.stored.total())


async def test_what_was_loaded_is_found_through_the_front(server: tuple[str, Path]) -> None:
    url, data_dir = server
    await load(server, "0-hospital*", "0-practitioner*", "9a174f9e*")

    def look() -> tuple[int, list[str], httpx.Response]:
        with api_client(url, data_dir=data_dir) as http:
            patient = "Patient/9a174f9e-ed67-6617-0106-745fb1f9a344"
            identities: list[str] = []
            following = f"/fhir/Observation?subject={patient}&_sort=-date&_count=20"
            total = http.get(f"/fhir/Observation?subject={patient}&_count=0").json()["total"]
            while following:
                page = http.get(following).json()
                identities += [entry["resource"]["id"] for entry in page["entry"]]
                following = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
            return total, identities, http.get(f"/fhir/{patient}")

    total, identities, patient = await asyncio.to_thread(look)
    assert (total, len(identities), len(set(identities))) == (87, 87, 87)
    assert patient.status_code == 200

"""The department: front and four services in one process, a clock moved by hand."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
from slipring.identity.client import BackendAuth
from slipring.identity.clients import DEMO_DEPARTMENT, register_with_key_file
from slipring.identity.keys import key_file
from slipring.process import DEMO_ENVIRONMENT, House, Plan, installed_services, opened
from slipring.runtime.clock import FakeClock
from slipring.runtime.postgres import ensure_running
from slipring.runtime.settings import Settings
from slipring.signing.certificate import make_authority

ALL = ("front", "order", "consent", "report", "critical")
_NOBODY = "http://127.0.0.1:9"  # the discard port: nothing answers there
FHIR = {"Content-Type": "application/fhir+json"}


# HIS, reading room and auditor in one: the stories need reports before their release, and what is on record of them.
WORK = "system/*.cruds slipring/draft-read system/AuditEvent.rs"


@dataclass
class Department:
    """What a test does with the running department."""

    house: House
    clock: FakeClock
    his: httpx.AsyncClient
    data_dir: Path

    def client(self, name: str, scope: str = "") -> httpx.AsyncClient:
        """A client of the front with its own key."""
        return _client(self.house, self.data_dir, self.clock, name, scope)

    async def client_of(self, name: str, person: str, scope: str = "user/*.cruds") -> httpx.AsyncClient:
        """A client that acts for one person (Practitioner/...)."""
        schema = self.house.services["order"].kernel.store.schema.removesuffix("order") + "front"
        connection = await asyncpg.connect(ensure_running(self.data_dir))
        try:
            await register_with_key_file(connection, schema, self.data_dir, name, scope.split(), practitioner=person)
        finally:
            await connection.close()
        return self.client(name, scope)

    async def post(
        self, path: str, body: Any, client: httpx.AsyncClient | None = None, **headers: str
    ) -> httpx.Response:
        """POST to /fhir."""
        sent = {**FHIR, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await (client or self.his).post(f"/fhir/{path}".rstrip("/"), content=json.dumps(body), headers=sent)

    async def put(
        self, resource: dict[str, Any], client: httpx.AsyncClient | None = None, **headers: str
    ) -> httpx.Response:
        """PUT a resource to its own address."""
        sent = {**FHIR, **{name.replace("_", "-"): value for name, value in headers.items()}}
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        return await (client or self.his).put(path, content=json.dumps(resource), headers=sent)

    async def get(self, path: str) -> dict[str, Any]:
        """GET from /fhir, as a tree."""
        response = await self.his.get(f"/fhir/{path}")
        assert response.status_code == 200, response.text
        tree: dict[str, Any] = response.json()
        return tree

    async def found(self, query: str) -> list[dict[str, Any]]:
        """The resources a search finds."""
        return [entry["resource"] for entry in (await self.get(query)).get("entry", [])]

    async def wait(self, **span: float) -> None:
        """Let time pass, and let everything that became due happen."""
        self.clock.advance(timedelta(**span))
        await self.settle()

    async def fresh(self) -> None:
        """Wait until every copy is complete up to now, as the gate asks; pulses come every two seconds of real time."""
        for _ in range(1000):
            await self.settle()
            as_of = [
                await running.kernel.store.pool.fetchval("SELECT min(as_of) FROM follow HAVING bool_and(filled)")
                for running in self.house.services.values()
            ]
            if all(moment is not None and moment >= self.clock.now() for moment in as_of):
                return
        raise AssertionError("the copies stay behind")

    async def settle(self) -> None:
        """Wait until no event, delivery or due timer is left (at most 20 s of real time)."""
        quiet = 0
        for _ in range(2000):
            for running in self.house.services.values():
                running.kernel.store.written.set()
                running.kernel.store.armed.set()
            await asyncio.sleep(0.01)
            quiet = quiet + 1 if await self._quiet() else 0
            if quiet >= 3:
                return
        raise AssertionError("the department does not come to rest")

    async def _quiet(self) -> bool:
        for running in self.house.services.values():
            left = await running.kernel.store.pool.fetchval(
                "SELECT (SELECT count(*) FROM outbox WHERE NOT fanned_out) + "
                "(SELECT count(*) FROM delivery d JOIN subscription s ON s.id = d.subscription WHERE d.state = 'waiting' "
                "AND s.failures < 2) + (SELECT count(*) FROM timer WHERE due_at <= $1)",
                self.clock.now(),
            )
            if left:
                return False
        return True


def _client(house: House, data_dir: Path, clock: FakeClock, name: str, scope: str) -> httpx.AsyncClient:
    auth = BackendAuth("http://127.0.0.1:8100/auth/token", name, key_file(data_dir, name), scope, now=clock.now)
    transport = httpx.ASGITransport(app=house)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100", auth=auth, timeout=60)


@asynccontextmanager
async def open_department(
    data_dir: Path, prefix: str, at: datetime | None = None, *, shipped_exams: bool = False, without: str = ""
) -> AsyncIterator[Department]:
    """Open everything in demo mode on fresh schemas, or on those of an earlier opening; `without` one service, which is down."""
    clock = FakeClock(at or datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    os.environ["SLIPRING_DATA_DIR"] = str(data_dir)
    os.environ.update(DEMO_ENVIRONMENT)
    os.environ["SLIPRING_SHIPPED_EXAMS"] = "yes" if shipped_exams else "no"
    make_authority(data_dir / "signing", now=clock.now())
    settings = Settings.from_env(
        {"SLIPRING_SCHEMA_PREFIX": prefix, "SLIPRING_DATA_DIR": str(data_dir), "SLIPRING_DEMO": "1"}
        | ({f"SLIPRING_{without.upper()}_URL": _NOBODY} if without else {})
    )
    names = [name for name in ALL if name != without]
    plan = Plan(
        names, settings, True, "127.0.0.1", 8100, data_dir, clock, installed_services(), fake_time=True, pool_size=10
    )
    # A busy machine may be slower than a provider is given, and after a failure only the fake clock tries again.
    with patch.dict(os.environ, SLIPRING_CHANNEL_TIMEOUT_SECONDS="60"):
        async with opened(plan) as house:
            await house.start()
            department = Department(house, clock, _client(house, data_dir, clock, DEMO_DEPARTMENT, WORK), data_dir)
            for _ in range(0 if without else 500):  # with a service down the house is never ready
                if (await department.his.get("/health/ready")).status_code == 200:
                    break
                await asyncio.sleep(0.02)
            yield department
            await department.his.aclose()

"""A small installation with a history of writes and reads, sealed, in a database that tests copy and tamper with."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import asyncpg
from slipring.fhir.service import Follows, Keeps, Service
from slipring.runtime.postgres import ensure_running
from slipring.upkeep.audit.verify import Given, Verified, verify

from tests.fhir.conftest import small_service
from tests.fhir.place import IMPORT, Place, Street, opened

_NUMBERS = itertools.count(1)
_SCHEMA = {"search_path": '"order"'}


def following_service() -> Service:
    """A second schema, with copies of the first one's patients."""
    return Service("consent", "c", "A follower", keeps=[Keeps("Consent")], follows=[Follows("order", "Patient")])


def named(dsn: str, database: str) -> str:
    """The same server, another database."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(path=f"/{database}"))


@dataclass
class Archive:
    """One database; `copied` makes another with the same content."""

    server: str
    database: str

    @property
    def dsn(self) -> str:
        """Its address."""
        return named(self.server, self.database)

    @asynccontextmanager
    async def copied(self) -> AsyncIterator[Archive]:
        """A copy that may be spoilt."""
        name = f"audit_copy_{next(_NUMBERS)}"
        await run(self.server, f"CREATE DATABASE {name} TEMPLATE {self.database}")
        try:
            yield Archive(self.server, name)
        finally:
            await run(self.server, f"DROP DATABASE {name} WITH (FORCE)")

    async def run(self, sql: str) -> None:
        """SQL as the superuser, behind the API."""
        await run(self.dsn, sql)

    async def value(self, sql: str) -> Any:
        """One value."""
        connection = await asyncpg.connect(self.dsn, server_settings=_SCHEMA)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    async def verified(self, given: Given | None = None) -> Verified:
        """What the verification says of it."""
        services = {one.name: one for one in (small_service(), following_service())}
        at_rest = dataclasses.replace(
            given or Given(), sealed_within=timedelta(0), services=services, zone=ZoneInfo("Asia/Shanghai")
        )
        return await verify(self.dsn, "", at_rest, lambda *_: None)

    async def found(self, given: Given | None = None) -> set[tuple[str, str, str]]:
        """Its findings: schema, kind, what it is about."""
        told = await self.verified(given)
        return {(one.schema, one.kind, one.about) for report in told.schemas for one in report.findings}


async def run(dsn: str, sql: str) -> None:
    """Statements outside of any transaction of ours."""
    connection = await asyncpg.connect(dsn, server_settings=_SCHEMA)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def made(data_dir: Path, database: str) -> Archive:
    """A database with two sealed schemas; nobody is connected to it any more."""
    server = ensure_running(data_dir)
    await run(server, f"CREATE DATABASE {database}")
    archive = Archive(server, database)
    async with opened(data_dir, small_service(), following_service(), dsn=archive.dsn, schema_prefix="") as street:
        await _lived(street)
    return archive


async def _lived(street: Street) -> None:
    order, consent = street["order"], street["consent"]
    for place in (order, consent):
        await place.running.start()
    for round_ in range(3):
        await _day(order, round_)
        await order.running.sealer.catch_up()
    await consent.make(
        {"resourceType": "Consent", "status": "active", "scope": {"text": "x"}, "category": [{"text": "x"}],
         "policyRule": {"text": "x"}}
    )  # fmt: skip
    async with asyncio.timeout(20):
        while (await consent.rows("SELECT count(*) AS n FROM resource WHERE source = 'order'"))[0]["n"] < 3:
            await asyncio.sleep(0.05)
    await consent.running.sealer.catch_up()


async def _day(order: Place, number: int) -> None:
    patient = {"resourceType": "Patient", "gender": "other", "id": f"p{number}"}
    assert (await order.ask("PUT", f"Patient/p{number}", patient, scopes=IMPORT)).status_code == 201
    task = {
        "resourceType": "Task",
        "status": "draft",
        "intent": "order",
        "for": {"reference": f"Patient/{patient['id']}"},
    }
    made_ = await order.make(task)
    changed = await order.ask("PUT", f"Task/{made_['id']}", {**made_, "status": "requested"})
    assert changed.status_code == 200, changed.text
    refused = await order.ask("POST", "ServiceRequest", {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"reference": f"Patient/{patient['id']}"},
        "note": [{"text": "no"}],
    })  # fmt: skip
    assert refused.status_code == 422
    assert len(await order.found(f"Task?patient={patient['id']}")) == 1
    assert (await order.ask("GET", f"Patient/{patient['id']}")).status_code == 200
    gone = await order.make(task)
    assert (await order.ask("DELETE", f"Task/{gone['id']}")).status_code == 204

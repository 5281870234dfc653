"""Small services on the real database: what a kernel test declares, opens and talks to."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from slipring.app import Running, Surroundings, open_service
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import unauthorized
from slipring.fhir.service import Service
from slipring.runtime.postgres import ensure_running

ALL = "system/*.cruds"
IMPORT = "system/*.cruds slipring/import"
_PREFIXES = itertools.count()
Resource = dict[str, Any]


async def verify(authorization: str | None) -> Caller:
    """The token says who it is and what it may: `name scope scope`, and `patient=id` or `fhirUser=Practitioner/id`."""
    if not authorization:
        raise unauthorized("A bearer token is needed.", "需要访问令牌。")
    name, *words = authorization.removeprefix("Bearer ").split()
    claims = dict(word.split("=", 1) for word in words if word.startswith(("patient=", "fhirUser=")))
    scopes = frozenset(word for word in words if word.partition("=")[0] not in claims)
    return Caller(name, scopes, claims.get("fhirUser"), claims.get("patient"))


@dataclass
class Place:
    """One running service and a client that may do everything."""

    running: Running
    client: httpx.AsyncClient
    name: str

    @property
    def pool(self) -> Any:
        """The service's database."""
        return self.running.kernel.store.pool

    async def ask(
        self, method: str, path: str, body: Any = None, *, scopes: str = ALL, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One request to the FHIR base; a body that is not text is written as JSON."""
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        sent = {"Authorization": f"Bearer his {scopes}", "Content-Type": "application/fhir+json", **(headers or {})}
        return await self.client.request(method, f"/{self.name}/fhir/{path}", content=content, headers=sent)

    async def make(self, body: Resource, **members: Any) -> Resource:
        """POST a resource that must be taken."""
        response = await self.ask("POST", body["resourceType"], {**body, **members})
        assert response.status_code == 201, response.text
        made: Resource = response.json()
        return made

    async def found(self, query: str) -> list[Resource]:
        """What a search finds."""
        response = await self.ask("GET", query)
        assert response.status_code == 200, response.text
        return [entry["resource"] for entry in response.json().get("entry", [])]

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        """Rows of the database behind it."""
        return list(await self.pool.fetch(sql, *arguments))

    async def everything(self) -> dict[str, int]:
        """How many rows each table that a write touches holds."""
        tables = ("resource", "version", "search_token", "search_string", "business_key", "outbox", "timer", "audit")
        return {table: (await self.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables}


@dataclass
class Street:
    """Several services that know each other, and what is outside."""

    places: dict[str, Place] = field(default_factory=dict)
    down: dict[str, Place] = field(default_factory=dict)  # open, but nobody reaches them

    def __getitem__(self, name: str) -> Place:
        """One of them."""
        return self.places[name]


@asynccontextmanager
async def opened(
    data_dir: Path, *services: Service, outside: Callable[[httpx.Request], httpx.Response] | None = None, **around: Any
) -> AsyncIterator[Street]:
    """Open the services on fresh schemas (or those of `schema_prefix`); loops start only when a test starts them."""
    around.setdefault("schema_prefix", f"k{os.getpid()}_{next(_PREFIXES)}_")
    dsn = around.pop("dsn", None) or await asyncio.to_thread(ensure_running, data_dir)
    street = Street()

    async def house(scope: Any, receive: Any, send: Any) -> None:
        await street.places[scope["path"].split("/")[1]].running.app(scope, receive, send)

    def client(by: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=house, raise_app_exceptions=False)
        who = {"Authorization": f"Bearer {by} {ALL}"}
        return httpx.AsyncClient(transport=transport, base_url="http://x", headers=who, timeout=60)

    transport = httpx.MockTransport(outside or (lambda _: httpx.Response(200)))
    async with around.pop("http", None) or httpx.AsyncClient(transport=transport) as http:
        for service in services:
            peers = {other.name: client(f"slipring-{service.name}") for other in services}
            surroundings = Surroundings(
                dsn=dsn, url="http://x", verify=verify, peers=peers, http=http, data_dir=data_dir, demo=True, **around
            )
            running = await open_service(service, surroundings)
            street.places[service.name] = Place(running, client("his"), service.name)
        try:
            yield street
        finally:
            for place in street.places.values():
                await place.running.stop()


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 10) -> Any:
    """Wait until something holds."""
    for _ in range(int(seconds / 0.02)):
        found = await holds()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to pass")


def a_patient(**members: Any) -> Resource:
    """A synthetic person."""
    return {"resourceType": "Patient", "name": [{"family": "Synthetic"}], **members}


def a_request(number: str = "", **members: Any) -> Resource:
    """A request, with a placer number when given."""
    tree: Resource = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
    }
    if number:
        tree["identifier"] = [an_identifier("PLAC", number)]
    return {**tree, **members}


def an_identifier(code: str, value: str) -> Resource:
    """A business identifier of a v2-0203 type."""
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}
    return {"type": kind, "system": "urn:his", "value": value}


def a_task(status: str = "requested", **members: Any) -> Resource:
    """A task."""
    return {"resourceType": "Task", "status": status, "intent": "order", **members}


def a_bundle(kind: str, *entries: tuple[str, str, Resource | None]) -> Resource:
    """A transaction or batch of (method, url, resource)."""
    listed = []
    for method, url, resource in entries:
        entry: Resource = {"request": {"method": method, "url": url}}
        if resource is not None:
            entry["resource"] = resource
        listed.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": listed}


def where(response: httpx.Response) -> list[str]:
    """The elements an OperationOutcome points at."""
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return [place for issue in outcome["issue"] for place in issue.get("expression", [])]

"""Where the parts of one service meet: store, kernel, door, follower and worker become a running application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import structlog
from cryptography.fernet import Fernet
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slipring.fhir.beside import Beside
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import warm
from slipring.fhir.delivery import asked, parked
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.delivery.follow import FollowDoor, Follower
from slipring.fhir.delivery.subscribing import Subscribed
from slipring.fhir.delivery.worker import Worker
from slipring.fhir.desk import Accounts, no_accounts
from slipring.fhir.inside import LiveInside
from slipring.fhir.interactions.capabilities import capability_statement
from slipring.fhir.interactions.dispatch import Door
from slipring.fhir.interactions.openapi import openapi, operation_paths
from slipring.fhir.interactions.respond import refused
from slipring.fhir.interactions.served import Served
from slipring.fhir.kernel import Kernel, Standing, as_he_was
from slipring.fhir.outcome import FhirError
from slipring.fhir.profiles import declare as declare_profiles
from slipring.fhir.service import Keeps, Service
from slipring.fhir.shipping import lay_down
from slipring.fhir.store.engine import PLANNED_EACH_TIME, UNAVAILABLE, open_pool, transaction
from slipring.fhir.store.migrate import migrate
from slipring.fhir.store.partitions import make_ahead
from slipring.fhir.store.reindex import reindex
from slipring.fhir.store.store import Store
from slipring.fhir.terminology import declare as declare_terminology
from slipring.fhir.wire import BODY_SECONDS
from slipring.readiness import ready
from slipring.runtime.clock import Clock, SystemClock
from slipring.runtime.meters import Meters
from slipring.runtime.settings import LOOPBACK
from slipring.sealing.keys import ServiceKey
from slipring.sealing.sealer import Sealer
from slipring.sealing.well_known import key_set
from slipring.watch.engine import Engine
from slipring.watch.exposition import Exposition, Network, networks
from slipring.watch.figures import Look
from slipring.watch.measured import Measured, counted
from slipring.watch.rates import Buckets, Rates
from slipring.watch.words import words_of

_LOG = structlog.get_logger("slipring.app")
_LEAVE_SECONDS = 5.0  # for giving back leases, locks and connections


@dataclass(slots=True)
class Surroundings:
    """What a process gives its services: the database, the clock, the network and its own address."""

    dsn: str
    url: str  # where this process answers, e.g. http://127.0.0.1:8100
    verify: Callable[[str | None], Awaitable[Caller]]
    peers: Mapping[str, httpx.AsyncClient]  # filled before the worker starts
    http: httpx.AsyncClient  # to the outside world
    data_dir: Path
    clock: Clock = field(default_factory=SystemClock)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    schema_prefix: str = ""
    demo: bool = False
    fake_time: bool = False
    max_body_bytes: int = 20 * 1024 * 1024
    max_entries: int = 5000
    body_seconds: float = BODY_SECONDS
    owners: Mapping[str, str] = field(default_factory=dict)
    pool_size: int = 20
    step_up_seconds: int = 300
    event_days: int = 30
    client_rate: float = 0.0  # requests a second of one client at the front; 0: no limit
    client_burst: int = 0
    watchers: Sequence[Network] = field(default_factory=lambda: networks(LOOPBACK))  # who may see metrics and details
    delivery_seconds: float = 10
    deliveries_at_once: int = 8
    standing: Standing = as_he_was
    accounts: Accounts = no_accounts
    endpoints: EndpointPolicy | None = None  # None: what ships, for this mode


@dataclass(slots=True)
class Running:
    """One service that answers and works."""

    app: Measured
    kernel: Kernel
    worker: Worker
    engine: Engine
    sealer: Sealer
    beside: Sequence[Beside] = ()
    warming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow, deliver, fire and seal; compile the checks behind it, 20 ms a type."""
        await self.worker.start()
        await self.sealer.start()
        for one in self.beside:
            await one.start()
        self.warming = asyncio.create_task(self._warm())

    async def stop(self) -> None:
        """End what stands beside it, the loops, then the connections."""
        await asyncio.gather(*(one.stop() for one in self.beside))
        if self.warming is not None:
            self.warming.cancel()
            await asyncio.gather(self.warming, return_exceptions=True)
        pool, searches = self.kernel.store.pool, self.kernel.store.searches
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self.worker.stop()
                await self.sealer.stop()
                await searches.close()
                await pool.close()
        except UNAVAILABLE as error:  # a database that is away cannot be given anything back
            _LOG.warning("left without a word", service=self.kernel.service.name, kind=type(error).__name__)
            await self.sealer.halt()
            searches.terminate()
            pool.terminate()

    async def _warm(self) -> None:
        for resource_type in ("Parameters", "Bundle", *(keeps.type for keeps in self.kernel.service.keeps)):
            await asyncio.to_thread(warm, resource_type)


async def open_service(service: Service, around: Surroundings) -> Running:
    """Migrate the schema and put the service together; nothing is served or started yet."""
    declare_terminology(service.code_systems, service.value_sets)
    declare_profiles(service.profiles)
    schema = f"{around.schema_prefix}{service.name}"
    await migrate(around.dsn, schema)
    meters = Meters()
    pool = await open_pool(around.dsn, schema, size=around.pool_size, meters=meters)
    await make_ahead(pool, schema)
    await reindex(pool, schema, around.zone, service)
    async with transaction(pool, [f"sequences {schema}"]) as connection:  # IF NOT EXISTS does not stand two at once
        for sequence in service.sequences:
            await connection.execute(f'CREATE SEQUENCE IF NOT EXISTS "{sequence}"')
    size = max(2, around.pool_size // 2)
    searches = await open_pool(around.dsn, schema, size=size, least=0, settings=PLANNED_EACH_TIME, meters=meters)
    store = Store(pool, schema, searches)
    key = ServiceKey(pool, service.name)
    await key.prepare()
    sealer = Sealer(pool, schema, key)
    kept = frozenset(keeps.type for keeps in service.keeps)
    endpoints = around.endpoints or EndpointPolicy(around.demo)
    subscribed = Subscribed(kept, {topic.url: topic for topic in service.topics}, around.zone, endpoints)
    service = replace(service, keeps=[*service.keeps, Keeps("Subscription", on_write=subscribed)])
    kernel = Kernel(
        service=service,
        store=store,
        clock=around.clock,
        zone=around.zone,
        base=f"{around.url}/{service.name}/fhir",
        cursors=Fernet(await store.secret("cursor", Fernet.generate_key().decode())),
        secrets=Fernet(await store.secret("endpoint", Fernet.generate_key().decode())),
        seals=key,
        settings=service.settings(),
        max_body_bytes=around.max_body_bytes,
        max_entries=around.max_entries,
        body_seconds=around.body_seconds,
        demo=around.demo,
        step_up_seconds=around.step_up_seconds,
        event_days=around.event_days,
        delivery_seconds=around.delivery_seconds,
        deliveries_at_once=around.deliveries_at_once,
        fake_time=around.fake_time,
        owners=around.owners,
        noted=sealer.catch_up,
        meters=meters,
        operations={**asked.OPERATIONS, **parked.OPERATIONS},
        standing=around.standing,
        accounts=around.accounts,
    )
    await lay_down(kernel)
    follower = Follower(kernel, around.peers)
    worker = Worker(kernel, follower, around.peers, around.http)
    look = Look(kernel)
    beside = service.beside(LiveInside(kernel, around.data_dir))
    engine = Engine(kernel, look, around.watchers, beside)
    application = _application(kernel, follower, around, look, engine)
    return Running(application, kernel, worker, engine, sealer, beside)


def _application(kernel: Kernel, follower: Follower, around: Surroundings, look: Look, engine: Engine) -> Measured:
    name, store = kernel.service.name, kernel.store
    verify = counted(around.verify, kernel.meters)
    app = FastAPI(title=kernel.service.title, openapi_url=None, docs_url=None, redoc_url=None)
    rates = Rates(Buckets(4 * around.client_rate, 4 * around.client_burst), Buckets(0, 0), kernel.meters)
    door = Door(kernel, verify, rates.admit)
    among = FollowDoor(kernel, follower, verify)
    pools = {"main": store.pool, "searches": store.searches}
    exposition = Exposition(kernel.meters, pools, look.figures, around.watchers)
    app.router.routes[:0] = [
        Route(f"/{name}/follows/{{follower}}", _guarded(among.register), methods=["PUT"]),
        Route(f"/{name}/follow/{{source}}", _guarded(among.receive), methods=["POST"]),
        Route(f"/{name}/metrics", exposition.__call__, methods=["GET"]),
        Route(f"/{name}/health/engine", engine.__call__, methods=["GET"]),
        Route(f"/{name}/.well-known/jwks.json", key_set(kernel.store.pool, name)),
    ]

    @cache  # nothing in it changes while the process runs
    def document() -> bytes:
        statement = capability_statement(kernel)
        return msgspec.json.encode(openapi(statement, operation_paths(statement, kernel.service.operations)))

    @app.get(f"/{name}/openapi.json")
    async def described() -> Response:
        return Response(document(), media_type="application/json")

    @app.get(f"/{name}/health/live")
    async def live() -> Response:
        return JSONResponse({"status": "live", "service": name})

    @app.get(f"/{name}/health/ready")
    async def readiness() -> Response:
        return await ready(kernel, follower)

    types, words = frozenset([*kernel.held, "Subscription"]), words_of([kernel.service])
    return Measured(Served(f"/{name}/fhir", door, app), kernel.meters, types, f"/{name}", words)


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except FhirError as error:
            return refused(error, "en")
        except UNAVAILABLE:
            return JSONResponse({"error": "database unavailable"}, 503)

    return guarded

"""A process: which applications it serves, on which database, and how it stops.

`serve --all` is one process with the front and the four services; `serve order` is one of them alone.
"""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import uvicorn
import uvloop

from slipring.alerts.opening import ROOM as ALERTS_ROOM
from slipring.alerts.opening import alert_routes, reply_secrets
from slipring.alerts.receiver import Door
from slipring.app import Surroundings, open_service
from slipring.bedside.opening import ROOM as BEDSIDE_ROOM
from slipring.bedside.opening import bedside_routes
from slipring.department.opening import ROOM, department_routes
from slipring.department.place import Place
from slipring.department.road import Road
from slipring.fhir.delivery.endpoint_connection import outside_client
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.service import Service
from slipring.fhir.store.engine import lock_number, open_pool
from slipring.fhir.store.migrate import migrate
from slipring.fhir.wire import on_the_wire
from slipring.front.app import PAGE_ROOMS, FrontSettings, create_front
from slipring.front.deciding import DecidingTable
from slipring.front.deliveries import DeliveriesPages
from slipring.front.own_trail import open_own_trail
from slipring.front.owners import the_owners
from slipring.front.patients import find_patients
from slipring.front.peers import Peers
from slipring.house import House
from slipring.identity.client import BackendAuth
from slipring.identity.client_keys import ClientKeys
from slipring.identity.demo import check_loopback
from slipring.identity.first_start import prepare_identity
from slipring.identity.keys import key_file
from slipring.identity.people.exchanging import Exchange
from slipring.identity.people.minting import Mint
from slipring.identity.people.open_accounts import open_accounts
from slipring.identity.people.opening import open_signing_in
from slipring.identity.people.pins import Pins
from slipring.identity.revoked import revoked_in_database
from slipring.identity.standing import Standings
from slipring.identity.token import TokenEndpoint
from slipring.identity.verify import LoadKeys, TokenVerifier, keys_from_database
from slipring.inspection.opening import ROOM as INSPECTION_ROOM
from slipring.inspection.opening import inspection_routes
from slipring.oncall.opening import ROOM as ON_CALL_ROOM
from slipring.oncall.opening import on_call_routes
from slipring.reading.opening import ROOM as READING_ROOM
from slipring.reading.opening import reading_routes
from slipring.review.opening import ROOM as REVIEW_ROOM
from slipring.review.opening import review_routes
from slipring.runtime.clock import Clock, SystemClock
from slipring.runtime.connection import ConnectionLimits, guarded
from slipring.runtime.hindrance import Hindered, hindrance
from slipring.runtime.logs import configure_logs, with_request_log
from slipring.runtime.meters import Meters
from slipring.runtime.postgres import ensure_running
from slipring.runtime.rings import Rings
from slipring.runtime.serving import Serving
from slipring.runtime.settings import BadSettings, Settings
from slipring.runtime.tracing import configure_tracing, stop_tracing
from slipring.upkeep.installed import installed
from slipring.watch.admission import Admission
from slipring.watch.exposition import networks
from slipring.watch.heartbeat import Heartbeat, answering
from slipring.watch.words import words_of

NAMES = ("order", "consent", "report", "critical")
_PORTS = {"front": 8100, "order": 8101, "consent": 8102, "report": 8103, "critical": 8104}
# The demo department has confirmed the shipped defaults; a real one confirms its own.
DEMO_ENVIRONMENT = {"SLIPRING_DEMO": "1", "SLIPRING_LIMITS_CONFIRMED": "*", "SLIPRING_CONSENT_CONFIRMED": "*"}
_SERVICE_SCOPE = "system/*.cruds slipring/draft-read"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be served and where; `names` are services and `front`."""

    names: Sequence[str]
    settings: Settings
    demo: bool
    host: str
    port: int
    data_dir: Path
    clock: Clock
    services: Mapping[str, Service]
    fake_time: bool = False
    pool_size: int = 12

    @property
    def url(self) -> str:
        """Where this process answers."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - every address: not one to tell
        return f"http://{host}:{self.port}"

    @property
    def public_url(self) -> str:
        """Where clients find the front; tokens are made out for this address."""
        return self.settings.url.rstrip("/") or self.url_of("front")

    def url_of(self, name: str) -> str:
        """Where a service or the front answers: as the settings say, else here, else at its usual port."""
        given = str(getattr(self.settings, f"{name}_url")).rstrip("/")
        if given or name in self.names:
            return given or self.url
        return f"http://{self.host}:{_PORTS[name]}"


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all applications of a process stand on."""

    dsn: str
    pool: asyncpg.Pool  # looks into the front's schema: keys, clients, people
    schema: str
    cursor_key: bytes
    load_keys: LoadKeys
    verifier: TokenVerifier
    endpoints: EndpointPolicy
    http: httpx.AsyncClient  # to the world outside


@asynccontextmanager
async def opened(plan: Plan) -> AsyncIterator[House]:
    """Open everything the plan names, on the embedded database unless an address is set."""
    check_loopback(plan.demo, plan.host)
    house = House({}, None, {})  # its meters are the front's
    ground = await _ground(plan, house.meters)
    try:
        await _open_services(plan, house, ground)
        if "front" in plan.names:
            house.front = await _open_front(plan, house, ground)
        else:  # what the process turns away is shown by the service it serves
            house.meters = next(iter(house.services.values())).kernel.meters
        if plan.settings.heartbeat_url:
            judged = [answering(ground.pool), *(running.engine.health for running in house.services.values())]
            house.heartbeat = Heartbeat(plan.settings.heartbeat_url, plan.settings.heartbeat_seconds, judged)
        yield house
    finally:
        await house.stop()
        await ground.http.aclose()
        await ground.pool.close()


async def _ground(plan: Plan, meters: Meters) -> _Ground:
    dsn = plan.settings.database_url or await asyncio.to_thread(ensure_running, plan.data_dir)
    schema = f"{plan.settings.schema_prefix}front"
    await migrate(dsn, schema)
    cursor_key = await _identity(dsn, schema, plan)
    endpoints = EndpointPolicy.of(plan.settings, demo=plan.demo)
    roots = _roots(plan.settings)
    pool = await open_pool(dsn, schema, size=5, meters=meters)
    load_keys = keys_from_database(pool, schema)
    verifier = TokenVerifier(
        load_keys,
        plan.clock.now,
        issuer=plan.public_url,
        demo=plan.demo,
        revoked=revoked_in_database(pool, schema),
    )
    return _Ground(
        dsn, pool, schema, cursor_key, load_keys, verifier, endpoints, outside_client(endpoints, roots=roots)
    )


async def _open_services(plan: Plan, house: House, ground: _Ground) -> None:
    owners = the_owners()
    around = Surroundings(
        dsn=ground.dsn,
        url=plan.url,
        verify=ground.verifier.verify,
        standing=Standings(ground.pool, ground.schema, plan.clock.now).of,
        accounts=partial(open_accounts, ground.pool, ground.schema),
        peers={},
        http=ground.http,
        data_dir=plan.data_dir,
        clock=plan.clock,
        zone=ZoneInfo(plan.settings.time_zone),
        schema_prefix=plan.settings.schema_prefix,
        demo=plan.demo,
        fake_time=plan.fake_time,
        max_body_bytes=plan.settings.max_body_bytes,
        max_entries=plan.settings.max_entries,
        step_up_seconds=plan.settings.step_up_seconds,
        event_days=plan.settings.event_days,
        delivery_seconds=plan.settings.delivery_seconds,
        deliveries_at_once=plan.settings.deliveries_at_once,
        endpoints=ground.endpoints,
        body_seconds=plan.settings.body_seconds,
        owners={kept: owners.keepers_of(kept)[0] for kept in owners.types},
        pool_size=plan.pool_size,
        watchers=networks(plan.settings.watchers),
        client_rate=plan.settings.client_rate,
        client_burst=plan.settings.client_burst,
    )
    for name in plan.names:
        if name == "front":
            continue
        own_peers = {other: _client(plan, house, other, name) for other in NAMES if other != name}
        house.peers.update({f"{name}->{other}": client for other, client in own_peers.items()})
        house.services[name] = await open_service(
            plan.services[name], replace(around, peers=own_peers, url=plan.url_of(name))
        )


async def _open_front(plan: Plan, house: House, ground: _Ground) -> Any:
    behind = {name: _client(plan, house, name, None) for name in NAMES}
    house.peers.update(behind)
    verify, zone = ground.verifier.verify, ZoneInfo(plan.settings.time_zone)
    trail = await open_own_trail(ground.pool, ground.schema, verify, ground.cursor_key, plan.clock, zone)
    house.sealer = trail.sealer
    mint = Mint(ground.pool, ground.schema, plan.public_url, plan.clock.now, plan.demo)
    signing_in = await open_signing_in(
        mint,
        plan.settings,
        ground.http,
        rooms=(*PAGE_ROOMS, ROOM, BEDSIDE_ROOM, READING_ROOM, REVIEW_ROOM, ON_CALL_ROOM, ALERTS_ROOM, INSPECTION_ROOM),
        fhir=f"{plan.public_url}/fhir",
        find_patients=partial(find_patients, Peers(behind)),
        locked=house.meters.lockouts.inc,
    )
    road = Road(_client(plan, house, "front", None), mint.for_pages)
    house.peers["pages->front"] = road.client
    house.rings = Rings(ground.dsn, [f"{plan.settings.schema_prefix}{name}" for name in NAMES])
    department = Place(road, signing_in.pages, signing_in.kept, plan.clock.now, signing_in.idle, house.rings)
    pins = Pins(ground.pool, ground.schema, plan.clock.now)
    deliveries = DeliveriesPages(Peers(behind), signing_in.pages, signing_in.entered, mint.for_pages)
    return create_front(
        behind,
        _tokens(plan, ground, mint),
        ground.load_keys,
        ground.cursor_key,
        DecidingTable(ground.pool),
        pages=signing_in.pages,
        signing_in=[
            *signing_in.routes,
            *deliveries.routes(),
            *department_routes(department),
            *bedside_routes(department),
            *reading_routes(department),
            *review_routes(department),
            *on_call_routes(department, mint),
            *inspection_routes(department),
            *alert_routes(
                Door(department, pins, mint, signing_in.session), reply_secrets(plan.settings.reply_secret_file)
            ),
        ],
        now=plan.clock.now,
        settings=FrontSettings(
            base_url=plan.settings.url or "",
            demo=plan.demo,
            max_body_bytes=plan.settings.max_body_bytes,
            max_entries=plan.settings.max_entries,
            body_seconds=plan.settings.body_seconds,
            zone=zone,
            watchers=networks(plan.settings.watchers),
            client_rate=plan.settings.client_rate,
            client_burst=plan.settings.client_burst,
            address_rate=plan.settings.address_rate,
            address_burst=plan.settings.address_burst,
        ),
        meters=house.meters,
        pools={"main": ground.pool},
        trail=trail,
        verify=verify,
    )


def _tokens(plan: Plan, ground: _Ground, mint: Mint) -> TokenEndpoint:
    return TokenEndpoint(
        ground.pool,
        ground.schema,
        plan.public_url,
        f"{plan.public_url}/auth/token",
        plan.clock.now,
        plan.demo,
        # Our own services ask where they find the front, which is not where the hospital's clients find it.
        inner_urls=(f"{plan.url_of('front')}/auth/token",),
        people=Exchange.of(mint, f"{plan.public_url}/fhir"),
        keys=ClientKeys(ground.http),
    )


def _roots(settings: Settings) -> Path | None:
    if not settings.endpoints_roots:
        return None
    path = Path(settings.endpoints_roots).expanduser()
    try:
        ssl.create_default_context(cafile=path)
    except OSError as problem:  # one that is no certificate is an SSLError, which is an OSError
        said = (
            "SLIPRING_ENDPOINTS_ROOTS must be a PEM file of certificates. SLIPRING_ENDPOINTS_ROOTS 须为 PEM 证书文件。"
        )
        raise BadSettings(said) from problem
    return path


async def _identity(dsn: str, schema: str, plan: Plan) -> bytes:
    """Keys and clients, made by one process at a time."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_number("identity", schema))
            return await prepare_identity(connection, schema, plan.data_dir, demo=plan.demo)
    finally:
        await connection.close()


def _client(plan: Plan, house: House, to: str, by: str | None) -> httpx.AsyncClient:
    """The way to a service: inside this process when it is served here, over HTTP otherwise."""
    inside = to in plan.names and (by is None or "front" in plan.names)
    transport = httpx.ASGITransport(app=house.inside, raise_app_exceptions=False) if inside else None
    auth = None
    if by is not None:
        client = f"slipring-{by}"
        auth = BackendAuth(
            f"{plan.url_of('front')}/auth/token",
            client,
            key_file(plan.data_dir, client),
            _SERVICE_SCOPE,
            now=plan.clock.now,
        )
    return httpx.AsyncClient(
        transport=transport,
        base_url=plan.url_of(to),
        auth=auth,
        timeout=30,
        trust_env=False,
        headers={"Accept": "application/fhir+json", "Accept-Encoding": "identity"},
    )


def installed_services(names: Sequence[str] = NAMES) -> dict[str, Service]:
    """The services asked for, by their entry points: shared code imports none of them."""
    found = installed()
    return {name: found[name] for name in names if name in found}


def serve(names: Sequence[str], *, demo: bool, host: str, port: int, data_dir: Path) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished, for `SLIPRING_STOP_SECONDS` at most."""
    os.environ["SLIPRING_DATA_DIR"] = str(data_dir)
    if demo:
        os.environ.update(DEMO_ENVIRONMENT)
        if "front" in names:
            os.environ.setdefault("SLIPRING_URL", f"http://{host}:{port}")
    settings = Settings.from_env()
    if not (demo or settings.url):
        raise BadSettings(
            "Outside demo mode SLIPRING_URL must say how clients reach the front, e.g. https://ct.hospital.example, and "
            "keys must have been made once with `slipring keys init`. 非演示模式必须设置 SLIPRING_URL，并先运行"
            " `slipring keys init`。"
        )
    configure_logs(settings.log_level)
    configure_tracing(to_subscribers=settings.trace_subscribers)
    plan = Plan(
        names,
        settings,
        demo,
        host,
        port,
        data_dir,
        SystemClock(),
        installed_services(names),
    )
    try:
        uvloop.run(_serve(plan))
    except Exception as error:
        if line := hindrance(error):
            raise Hindered(line) from error
        raise
    finally:
        stop_tracing()


async def _serve(plan: Plan) -> None:
    async with opened(plan) as house:
        asked = plan.settings.log_level in ("debug", "info")
        served = Admission(on_the_wire(house, plan.settings.origins), plan.settings.max_requests, house.meters)
        limits = ConnectionLimits(plan.settings.max_connections, plan.settings.head_seconds)
        config = uvicorn.Config(
            with_request_log(served, words_of(installed_services().values())) if asked else served,
            host=plan.host,
            port=plan.port,
            http=guarded(limits),
            ws="none",
            log_config=None,  # our own handlers: uvicorn's would print what an exception says
            forwarded_allow_ips=plan.settings.proxies,
            lifespan="off",
            access_log=False,
            timeout_graceful_shutdown=plan.settings.stop_seconds,
        )
        server = Serving(config, house.leave, plan.settings.drain_seconds)
        house.starting = True
        answering = asyncio.create_task(server.serve())
        while not server.started and not answering.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.01)
        if server.started:
            await house.start()
            house.starting = False
            _settle_memory()
        print(f"slipring: {', '.join(plan.names)} at {plan.url}" + (" (DEMO)" if plan.demo else ""), flush=True)  # noqa: T201
        await answering


def _settle_memory() -> None:
    """What was loaded stays for good: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


__all__ = ["House", "Plan", "installed_services", "opened", "serve"]

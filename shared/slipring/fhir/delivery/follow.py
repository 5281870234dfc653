"""Following another service: copies fill from a snapshot search, then from events; a pulse dates them.

A copy is replaced only by a higher version, so snapshot and events may arrive in any order and more than once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import asyncpg.exceptions
import httpx
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slipring.fhir.act import Act, decided, perform
from slipring.fhir.caller import DRAFT_READ, Caller, itself
from slipring.fhir.delivery import owing as debts
from slipring.fhir.delivery.interest import criteria_of
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, forbidden
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.service import Arrival, Changes, Follows, Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.batch import Version
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.text import encode, entries_text, parse

_LOG = structlog.get_logger("slipring.follow")
_PAGE = 500
_LATER = (429, 503)  # the moment is at fault, not the arrival: its sender tries again


class Follower:
    """The copies this service keeps of others."""

    def __init__(self, kernel: Kernel, peers: Mapping[str, httpx.AsyncClient]) -> None:
        self._kernel = kernel
        self._peers = peers
        self._registered: set[str] = set()

    @property
    def sources(self) -> dict[str, list[Follows]]:
        """What is followed, by source."""
        found: dict[str, list[Follows]] = {}
        for follows in self._kernel.service.follows:
            found.setdefault(follows.service, []).append(follows)
        return found

    async def step(self) -> bool:
        """Register and fill where that is still to do; True when every source is followed."""
        for source, follows in self.sources.items():
            if source in self._registered:
                continue
            try:
                await self._begin(source, follows)
                self._registered.add(source)
            except (httpx.HTTPError, FhirError, OSError, asyncpg.exceptions.PostgresError) as error:
                _LOG.info("not yet following", source=source, kind=type(error).__name__)
        return len(self._registered) == len(self.sources)

    async def receive(self, source: str, text: str, tree: Resource) -> None:
        """Take one notification: each event is one commit; a pulse dates the copies."""
        status = {p["name"]: p for p in tree["entry"][0]["resource"]["parameter"]}
        for item, body in list(zip(tree["entry"], entries_text(text), strict=True))[1:]:
            version = int(item["response"]["etag"].strip('W/"'))
            if body is None:
                resource_type, _, resource_id = item["request"]["url"].partition("/")
                await self._arrived(
                    source, {"resourceType": resource_type, "id": resource_id}, "", version, deleted=True
                )
            else:
                await self._arrived(source, item["resource"], body, version)
        if "complete-as-of" in status:
            await self._kernel.store.pool.execute(
                "UPDATE follow SET as_of = $2, number = $3 WHERE source = $1 AND (as_of IS NULL OR as_of < $2)",
                source,
                datetime.fromisoformat(status["complete-as-of"]["valueInstant"]),
                int(status["events-since-subscription-start"]["valueString"]),
            )

    async def _begin(self, source: str, follows: list[Follows]) -> None:
        """Subscribe first, then fill: what happens in between arrives as events.

        A pulse may date the copies while they fill; the date counts once they are filled, because the snapshot
        was asked for after the lane began.
        """
        criteria = "\n".join(f.criteria for f in follows)
        client, pool = self._peers[source], self._kernel.store.pool
        await pool.execute("DELETE FROM follow WHERE source = $1 AND criteria <> $2", source, criteria)
        await pool.execute(
            "INSERT INTO follow (source, criteria) VALUES ($1, $2) ON CONFLICT DO NOTHING", source, criteria
        )
        response = await client.put(
            f"/{source}/follows/{self._kernel.service.name}",
            json={"criteria": criteria, "endpoint": f"/{self._kernel.service.name}/follow/{source}"},
        )
        response.raise_for_status()
        filled = await pool.fetchval("SELECT filled FROM follow WHERE source = $1", source)
        if filled and not response.json()["new"]:
            return
        if filled:
            await pool.execute("UPDATE follow SET filled = false, as_of = NULL WHERE source = $1", source)
        for f in follows:
            await self._fill(source, f.criteria)
        await pool.execute("UPDATE follow SET filled = true WHERE source = $1", source)

    async def _fill(self, source: str, criteria: str) -> None:
        client = self._peers[source]
        address: str | None = f"/{source}/fhir/{criteria}{'&' if '?' in criteria else '?'}_count={_PAGE}"
        while address:
            response = await client.get(address)
            response.raise_for_status()
            tree = json.loads(response.text, parse_float=Decimal)
            for item, body in zip(tree.get("entry", []), entries_text(response.text), strict=True):
                resource = item["resource"]
                await self._arrived(source, resource, body or "", int(resource["meta"]["versionId"]))
            following = [link["url"] for link in tree.get("link", []) if link["relation"] == "next"]
            address = following[0][following[0].index(f"/{source}/fhir") :] if following else None

    async def _arrived(
        self, source: str, resource: Resource, text: str, version: int, *, deleted: bool = False
    ) -> None:
        """Store the copy and what its handlers decide, in one commit; an older version changes nothing.

        When the handlers fail, the copy is stored and what should follow from it is owed.
        """
        kernel = self._kernel
        context = Context(itself(kernel.service.name))
        kind, reference = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
        handled = any(f.then for f in kernel.service.follows if f.service == source and f.type == kind)

        async def decide(*, owing: bool = False) -> tuple[Act, None]:
            desk = kernel.desk(context.caller)
            act = Act(kernel, context, desk)
            held = await reading.current(kernel.store.pool, kind, resource["id"])
            if held and (held.version >= version or not held.source):
                return act, None
            desk.put(Stored(resource, version, desk.now, source, deleted))
            act.copies.append(_copy(source, resource, text, version, kernel, deleted=deleted))
            known = held if held and not held.deleted else None
            debt = await debts.standing(kernel, reference) if handled else None
            if owing:
                act.add(Changes(wake=[debts.owed(source, reference, known, debt)]))
            elif handled:
                before = debts.dealt_with(debt, desk) if debt else known.stored() if known else None
                arrival = Arrival(source, resource, version, deleted, before)
                await decided(act, lambda: debts.follow_from(kernel, arrival, desk))
                if debt:
                    act.add(Changes(cancel=[debts.key_of(reference)]))
            return act, None

        try:
            await perform(kernel, decide)
        except UNAVAILABLE:
            raise
        except Exception as error:
            if not handled or (isinstance(error, FhirError) and error.status in _LATER):
                raise
            _LOG.warning("arrival owed", source=source, type=kind, kind=type(error).__name__)
            await perform(kernel, partial(decide, owing=True))


def _copy(source: str, resource: Resource, text: str, version: int, kernel: Kernel, *, deleted: bool) -> Version:
    found = Rows() if deleted else rows(resource, kernel.zone)
    stored, kind = text or encode(resource), resource["resourceType"]
    first = any(f.unreleased and f.service == source and f.type == kind for f in kernel.service.follows)
    audience = (DRAFT_READ,) if first else None
    return Version(
        kind, resource["id"], version, "PUT", stored, found, deleted=deleted, source=source, audience=audience
    )


class FollowDoor:
    """The addresses services use among themselves: `PUT follows/<follower>` and `POST follow/<source>`."""

    def __init__(self, kernel: Kernel, follower: Follower, verify: Any) -> None:
        self._kernel, self._follower, self._verify = kernel, follower, verify

    async def register(self, request: Request) -> Response:
        """A service begins to follow; one lane per follower, so its order across types is kept."""
        name = request.path_params["follower"]
        self._only(await self._verify(request.headers.get("authorization")), name)
        wish = await request.json()
        criteria_of(wish["criteria"], self._kernel.zone)  # one that cannot be read would stop the fan-out for all
        row = await self._kernel.store.pool.fetchrow(
            "INSERT INTO subscription (id, internal, follower, criteria, endpoint, payload, headers, status) "
            "VALUES ($1, true, $2, $3, $4, 'application/fhir+json', '{}', 'active') ON CONFLICT (id) DO UPDATE SET "
            "endpoint = EXCLUDED.endpoint, failures = 0, next_attempt_at = NULL, criteria = EXCLUDED.criteria "
            "RETURNING last_number, (xmax = 0) AS new",
            f"follow:{name}",
            name,
            wish["criteria"],
            wish["endpoint"],
        )
        self._kernel.store.written.set()
        return JSONResponse({"number": row["last_number"], "new": row["new"]})

    async def receive(self, request: Request) -> Response:
        """A notification of a followed service."""
        source = request.path_params["source"]
        self._only(await self._verify(request.headers.get("authorization")), source)
        text, tree = parse(await request.body(), max_bytes=64 * 1024 * 1024)
        await self._follower.receive(source, text, tree)
        return Response(status_code=204)

    def _only(self, caller: Caller, service: str) -> None:
        if caller.client != f"slipring-{service}":
            raise forbidden(
                "This address is for the services themselves.",
                "该地址仅供各服务内部使用。",
                detail="kernel.address-services-themselves",
            )

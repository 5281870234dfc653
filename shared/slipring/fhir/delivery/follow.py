"""Following another service: copies fill from a snapshot search, then from events; a pulse dates them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg.exceptions
import httpx
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slipring.fhir.caller import Caller
from slipring.fhir.delivery.arriving import Arrived, take
from slipring.fhir.delivery.interest import criteria_of
from slipring.fhir.kernel import Kernel
from slipring.fhir.outcome import FhirError, forbidden
from slipring.fhir.service import Follows, Resource
from slipring.fhir.text import entries_text, parse

_LOG = structlog.get_logger("slipring.follow")
_PAGE = 500


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
        """Take one notification; a pulse dates the copies."""
        status = {p["name"]: p for p in tree["entry"][0]["resource"]["parameter"]}
        events = list(zip(tree["entry"], entries_text(text), strict=True))[1:]
        await take(self._kernel, source, [_told(item, body) for item, body in events])
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
            found = [item["resource"] for item in tree.get("entry", [])]
            texts = entries_text(response.text)
            copies = [Arrived(r, body or "", _version(r)) for r, body in zip(found, texts, strict=True)]
            await take(self._kernel, source, copies)
            following = [link["url"] for link in tree.get("link", []) if link["relation"] == "next"]
            address = following[0][following[0].index(f"/{source}/fhir") :] if following else None


def _told(item: Resource, body: str | None) -> Arrived:
    """One entry of a notification; without a resource it tells of a deletion."""
    version = int(item["response"]["etag"].strip('W/"'))
    if body is not None:
        return Arrived(item["resource"], body, version)
    resource_type, _, resource_id = item["request"]["url"].partition("/")
    return Arrived({"resourceType": resource_type, "id": resource_id}, "", version, deleted=True)


def _version(resource: Resource) -> int:
    return int(resource["meta"]["versionId"])


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

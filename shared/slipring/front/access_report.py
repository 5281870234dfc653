"""Patient/[id]/$access-report over all services: one list in order of time; a service that is away is named (503)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.peers import FHIR_JSON, Reply, decoded

_ACCESS = "access"


async def access_report(exchange: Exchange, services: Sequence[str]) -> Reply:
    """Every service's part; the first one says whom it is about and who asked."""
    replies = await asyncio.gather(*(exchange.forward(service) for service in services))
    for reply in replies:
        if reply.status != 200:
            raise KeeperRefused(reply)
    trees: list[Any] = [decoded(reply.body) for reply in replies]
    told = [one for tree in trees for one in tree["parameter"] if one["name"] == _ACCESS]
    told.sort(key=lambda access: str(next(part["valueInstant"] for part in access["part"] if part["name"] == "when")))
    head = [one for one in trees[0]["parameter"] if one["name"] != _ACCESS]
    report = {"resourceType": "Parameters", "parameter": [*head, *told]}
    return Reply(200, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(report))

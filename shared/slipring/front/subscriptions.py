"""Subscriptions at one address: which service tells of what is asked for, and the status of all of them.

A subscription is kept by the service whose events it waits for. Where events of several services would be meant, one
Subscription cannot count them: it is refused and the services are named, so that one is posted to each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from slipring.fhir.outcome import unprocessable
from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, RawObject, Reply, raw, raw_bundle

_AT = "Subscription.criteria"


class _Parameters(msgspec.Struct):
    parameter: list[msgspec.Raw] = []


_PARAMETERS = msgspec.json.Decoder(_Parameters)


def demand_one_teller(resource: Mapping[str, Any], owners: Owners, base: str) -> None:
    """422 for a Subscription that no service alone could honour; what nobody keeps is for a service to refuse."""
    criteria = resource.get("criteria")
    if resource.get("resourceType") != "Subscription" or not isinstance(criteria, str):
        return
    if "://" in criteria.partition("?")[0]:
        if not owners.tellers_of(criteria):
            known = ", ".join(owners.topics)
            raise unprocessable(
                f"This topic is not offered; offered: {known}.",
                f"没有该主题；可订阅的主题：{known}。",
                at=_AT,
                detail="front.no-such-topic",
            )
        return
    tellers = owners.tellers_of(criteria)
    if len(tellers) > 1:
        front = base.removesuffix("/fhir")
        named = ", ".join(f"{front}/{service}/fhir/Subscription" for service in tellers)
        raise unprocessable(
            f"Several services keep these; post one Subscription to each: {named}. Or say by `code` which are meant.",
            f"由多个服务保管，请分别提交订阅：{named}；或用 code 指明其一。",
            at=_AT,
            detail="front.several-tellers",
        )


async def statuses(exchange: Exchange, owners: Owners) -> Reply:
    """`Subscription/$status` of every service in one searchset."""
    replies = await asyncio.gather(*(exchange.forward(service) for service in owners.services))
    entries: list[RawObject] = []
    for reply in replies:
        if reply.status != 200:
            raise KeeperRefused(reply)
        entries += raw_bundle(reply.body)[1]
    bundle = {
        "resourceType": raw("Bundle"),
        "type": raw("searchset"),
        "total": raw(len(entries)),
        **({"entry": entries} if entries else {}),
    }
    headers = {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}
    return Reply(200, headers, msgspec.json.encode(bundle))


async def deliveries(exchange: Exchange, owners: Owners) -> Reply:
    """`Subscription/$deliveries` of every service in one Parameters; ids carry the service's letter."""
    replies = await asyncio.gather(*(exchange.forward(service) for service in owners.services))
    parameters: list[msgspec.Raw] = []
    for reply in replies:
        if reply.status != 200:
            raise KeeperRefused(reply)
        parameters += _PARAMETERS.decode(reply.body).parameter
    tree = {"resourceType": "Parameters"} | ({"parameter": parameters} if parameters else {})
    headers = {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}
    return Reply(200, headers, msgspec.json.encode(tree))

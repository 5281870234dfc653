"""Who holds an id that carries no letter: imported ids of types that several services keep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import RawObject, Reply, decoded
from slipring.front.resolving import search_once

_IDS_AT_ONCE = 200


async def read_of_any(exchange: Exchange, keepers: Sequence[str]) -> Reply:
    """The answer of whoever holds what is read: the default owner is asked first, and most often alone."""
    deleted: Reply | None = None
    first: Reply | None = None
    for keeper in keepers:
        reply = await exchange.forward(keeper)
        if reply.status not in (404, 410):
            return reply
        first = first or reply
        deleted = deleted or (reply if reply.status == 410 else None)
    return deleted or first or Reply(404, {})


async def holder_of(exchange: Exchange, owners: Owners, kept_type: str, resource_id: str) -> str | None:
    """Who holds one id; who deleted it when nobody holds it; None if nobody ever did."""
    keepers = owners.keepers_of(kept_type)
    replies = await asyncio.gather(*(exchange.ask(keeper, "GET", f"{kept_type}/{resource_id}") for keeper in keepers))
    by_status = {reply.status: keeper for keeper, reply in zip(reversed(keepers), reversed(replies), strict=True)}
    return by_status.get(200) or by_status.get(410)


async def holders_of(
    exchange: Exchange, owners: Owners, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Who holds each of these (type, id), found by searches for many ids at once."""
    by_type: dict[str, list[str]] = {}
    for kept_type, resource_id in dict.fromkeys(wanted):
        by_type.setdefault(kept_type, []).append(resource_id)
    asked = [
        (kept_type, keeper, ids[start : start + _IDS_AT_ONCE])
        for kept_type, ids in by_type.items()
        for keeper in owners.keepers_of(kept_type)
        for start in range(0, len(ids), _IDS_AT_ONCE)
    ]
    answers = await asyncio.gather(*(_held(exchange, *one) for one in asked))
    return {
        (kept_type, _id_of(entry)): keeper
        for (kept_type, keeper, _), entries in zip(asked, answers, strict=True)
        for entry in entries
    }


async def _held(exchange: Exchange, kept_type: str, keeper: str, ids: list[str]) -> list[RawObject]:
    pairs = [("_id", ",".join(ids)), ("_count", str(len(ids))), ("_elements", "id")]
    try:
        return (await search_once(exchange, keeper, kept_type, pairs))[0]
    except KeeperRefused:  # who may write but not search is told by the keeper what he may
        return []


def _id_of(entry: RawObject) -> str:
    tree: Any = decoded(entry["resource"])
    return str(tree["id"])

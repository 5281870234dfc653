"""Which service answers: the front's dispatch over `/fhir`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.responses import Response

from slipring.fhir.outcome import invalid, not_found, refusal
from slipring.front.batch import Batches
from slipring.front.bundles import one_owner, places, unkept
from slipring.front.exchange import Exchange, too_costly
from slipring.front.owners import Owners
from slipring.front.peers import Reply, as_response, decoded, raw_bundle
from slipring.front.searching import Searches


@dataclass(frozen=True, slots=True)
class Router:
    """Answers a request below `/fhir` by asking the keepers."""

    owners: Owners
    searches: Searches
    max_entries: int = 5000

    async def answer(self, exchange: Exchange) -> Response:
        """The keeper's answer, or several merged into one."""
        reply = await self._reply(exchange)
        return as_response(reply, exchange.base)

    async def _reply(self, exchange: Exchange) -> Reply:
        match exchange.parts:
            case [] if exchange.method in ("GET", "HEAD"):
                return await self.searches.over(exchange, "", self.owners.services, "searchset")
            case []:
                return await self._bundle(exchange)
            case ["_search"] if exchange.method == "POST":
                return await self.searches.over(exchange, "", self.owners.services, "searchset")
            case ["_history"]:
                return await self.searches.over(exchange, "_history", self.owners.services, "history")
            case [first, *_] if first[0] in "$_" or not first[0].isupper():
                raise invalid(
                    "This is not offered for the whole system: name a resource type.", "该操作须指明资源类型。"
                )
            case ["OperationDefinition", name]:
                return await self._operation_definition(exchange, name)
            case [kept_type, *_] if not self.owners.keepers_of(kept_type):
                raise unkept(kept_type, self.owners)
            case [kept_type]:
                return await self._of_type(exchange, kept_type)
            case [kept_type, "_search"]:
                return await self._search(exchange, kept_type)
            case [kept_type, "_history"]:
                return await self._type_history(exchange, kept_type)
            case [kept_type, operation] if operation.startswith("$"):
                return await exchange.forward(self.owners.owner_of_operation(kept_type, operation) or "")
            case [kept_type, resource_id, *_]:
                return await self._of_instance(exchange, kept_type, resource_id)
        raise not_found("/".join(exchange.parts[:1]))

    async def _operation_definition(self, exchange: Exchange, name: str) -> Reply:
        """`Type-operation`: asked of the keepers of the type, one of whom declares it."""
        reply: Reply | None = None
        for keeper in self.owners.keepers_of(name.partition("-")[0]):
            reply = await exchange.forward(keeper)
            if reply.status != httpx.codes.NOT_FOUND:
                return reply
        if reply is None:
            raise not_found(f"OperationDefinition/{name[:64]}")
        return reply

    # --- by type --------------------------------------------------------------------------------------------

    async def _of_type(self, exchange: Exchange, kept_type: str) -> Reply:
        keepers = self.owners.keepers_of(kept_type)
        if exchange.method in ("GET", "HEAD"):
            return await self._search(exchange, kept_type)
        if len(keepers) == 1:
            return await exchange.forward(keepers[0])
        if exchange.method in ("POST", "PUT"):
            return await exchange.forward(self._content_owner(exchange, kept_type))
        raise refusal(
            412,
            "multiple-matches",
            f"{kept_type} has several keepers ({', '.join(keepers)}): name the resource by its id.",
            f"{kept_type} 由多个服务保存（{'、'.join(keepers)}）：请用 id 指明资源。",
        )

    async def _search(self, exchange: Exchange, kept_type: str) -> Reply:
        return await self.searches.search(exchange, kept_type)

    async def _type_history(self, exchange: Exchange, kept_type: str) -> Reply:
        keepers = self.owners.keepers_of(kept_type)
        if len(keepers) == 1:
            return await exchange.forward(keepers[0])
        return await self.searches.over(exchange, f"{kept_type}/_history", keepers, "history")

    def _content_owner(self, exchange: Exchange, kept_type: str) -> str:
        tree: Any = decoded(exchange.body)
        default = self.owners.keepers_of(kept_type)[0]
        # A body of another type is the keeper's to refuse, with the element named.
        ownership = (
            self.owners.owner_of(tree) if isinstance(tree, dict) and tree.get("resourceType") == kept_type else None
        )
        return ownership.owner if ownership else default

    # --- by id ----------------------------------------------------------------------------------------------

    async def _of_instance(self, exchange: Exchange, kept_type: str, resource_id: str) -> Reply:
        owner = self.owners.owner_of_read(kept_type, resource_id) or ""
        if self.owners.is_certain(kept_type, resource_id):
            return await exchange.forward(owner)
        if exchange.method in ("GET", "HEAD"):
            return await self._read_of_any(exchange, kept_type)
        # An imported id carries no letter: whoever holds it answers, else whoever would keep it.
        holder = await self._holder(exchange, kept_type, resource_id)
        if holder is None and exchange.method == "PUT":
            holder = self._content_owner(exchange, kept_type)
        return await exchange.forward(holder or owner)

    async def _read_of_any(self, exchange: Exchange, kept_type: str) -> Reply:
        replies = [await exchange.forward(keeper) for keeper in self.owners.keepers_of(kept_type)[:1]]
        for keeper in self.owners.keepers_of(kept_type)[1:]:
            if replies[-1].status != 404:
                return replies[-1]
            replies.append(await exchange.forward(keeper))
        return replies[-1] if replies[-1].status != 404 else replies[0]

    async def _holder(self, exchange: Exchange, kept_type: str, resource_id: str) -> str | None:
        keepers = self.owners.keepers_of(kept_type)
        replies = await asyncio.gather(
            *(exchange.ask(keeper, "GET", f"{kept_type}/{resource_id}") for keeper in keepers)
        )
        return next(
            (keeper for keeper, reply in zip(keepers, replies, strict=True) if reply.status in (200, 410)), None
        )

    # --- Bundles --------------------------------------------------------------------------------------------

    async def _bundle(self, exchange: Exchange) -> Reply:
        if exchange.method != "POST":
            raise refusal(
                405,
                "not-supported",
                "The base takes transactions and batches by POST; a search names a type.",
                "根地址只接受以 POST 提交的 transaction 和 batch；检索须指明类型。",
                headers={"Allow": "POST"},
            )
        bundle, entries = raw_bundle(exchange.body)
        if len(entries) > self.max_entries:
            raise too_costly(f"at most {self.max_entries} entries", f"最多 {self.max_entries} 个条目")
        kind = decoded(bundle["type"]) if "type" in bundle else None
        if kind not in ("transaction", "batch") or not entries:
            # Nothing to route by: the default keeper of most types says what is wrong with it.
            return await exchange.forward("order")
        found = places(entries, self.owners)
        if kind == "transaction":
            return await exchange.forward(one_owner(found, self.owners))
        return await Batches(self.owners, self.searches).answer(exchange, bundle, entries, found)

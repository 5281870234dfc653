"""Which service answers: the front's dispatch over `/fhir`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from slipring.fhir.interactions.asked import offered
from slipring.fhir.outcome import invalid, not_found, refusal
from slipring.front import clause_check
from slipring.front.access_report import access_report
from slipring.front.batch import Batches
from slipring.front.bundles import places, unkept
from slipring.front.conditions import Conditions
from slipring.front.crossing import has_steps
from slipring.front.definitions import Definitions, is_definition
from slipring.front.everything import Everything
from slipring.front.exchange import Exchange, too_costly
from slipring.front.holders import holder_of, read_of_any
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import Reply, decoded, raw_bundle
from slipring.front.presenting import Presentation
from slipring.front.searching import Searches
from slipring.front.subscriptions import deliveries, demand_one_teller, statuses
from slipring.front.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Router:
    """Answers a request below `/fhir` by asking the keepers."""

    owners: Owners
    searches: Searches
    conditions: Conditions
    definitions: Definitions
    max_entries: int = 5000

    async def answer(self, exchange: Exchange) -> Response:
        """The keeper's answer, or several merged into one."""
        presentation = Presentation.of(exchange.headers, exchange.query)
        return presentation.response(await self.asked(exchange), exchange.base)

    async def asked(self, exchange: Exchange) -> Reply:
        """The same as a reply; a refusal that a step over services met with is passed on."""
        try:
            return await self._reply(exchange)
        except KeeperRefused as refused:
            return refused.reply

    async def _reply(self, exchange: Exchange) -> Reply:
        if exchange.method == "OPTIONS":
            return await self._methods(exchange)
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
                    "This is not offered for the whole system: name a resource type.",
                    "该操作须指明资源类型。",
                    detail="front.not-for-the-system",
                )
            case [kept_type, *_] if is_definition(kept_type, self.owners):
                return await self.definitions.answer(exchange)
            case [kept_type, *_] if not self.owners.keepers_of(kept_type):
                raise unkept(kept_type, self.owners)
            case [kept_type]:
                return await self._of_type(exchange, kept_type)
            case [kept_type, "_search"]:
                return await self.searches.search(exchange, kept_type)
            case [kept_type, "_history"]:
                return await self._type_history(exchange, kept_type)
            case ["Patient", _, "$everything"] if exchange.method in ("GET", "POST"):
                return await Everything(self.searches).answer(exchange)
            case ["Patient", _, "$access-report"] if exchange.method in ("GET", "POST"):
                return await access_report(exchange, self.owners.services)
            case ["Subscription", "$status" | "$deliveries" as operation] if exchange.method in ("GET", "POST"):
                return await (statuses if operation == "$status" else deliveries)(exchange, self.owners)
            case [kept_type, operation] if operation.startswith("$"):
                return await self._operation(exchange, kept_type, operation)
            case [kept_type, resource_id, *_]:
                return await self._of_instance(exchange, kept_type, resource_id)
        raise not_found("/".join(exchange.parts[:1]))

    async def _methods(self, exchange: Exchange) -> Reply:
        """What an address takes; whether GET calls an operation too, its keeper knows."""
        owner: str | None = None
        match exchange.parts:
            case [kept_type, operation] if operation.startswith("$"):
                owner = self.owners.owner_of_operation(kept_type, operation)
            case [kept_type, resource_id, operation] if operation.startswith("$"):
                owner = self.owners.owner_of_read(kept_type, resource_id)
        return await exchange.forward(owner) if owner else Reply(204, offered(list(exchange.parts)))

    async def _operation(self, exchange: Exchange, kept_type: str, operation: str) -> Reply:
        if kept_type == "Measure" and operation in clause_check.OPERATIONS:
            return await clause_check.clause_check(exchange, self.owners.services)
        return await exchange.forward(self.owners.owner_of_operation(kept_type, operation) or "")

    # --- by type --------------------------------------------------------------------------------------------

    async def _of_type(self, exchange: Exchange, kept_type: str) -> Reply:
        if exchange.method in ("GET", "HEAD"):
            return await self.searches.search(exchange, kept_type)
        keepers = self.owners.keepers_of(kept_type)
        criteria = exchange.headers.get("if-none-exist", "") if exchange.method == "POST" else exchange.query
        if criteria and (len(keepers) > 1 or has_steps(criteria)):
            return await self._conditional(exchange, kept_type, criteria.partition("?")[2] or criteria)
        return await exchange.forward(self._content_owner(exchange, kept_type))

    async def _conditional(self, exchange: Exchange, kept_type: str, criteria: str) -> Reply:
        """A write that depends on criteria: they hold over all keepers of the type, see `conditions`."""
        condition = await self.conditions.read(exchange, kept_type, criteria)
        if exchange.method == "POST":
            asked = replace(exchange, headers={**exchange.headers, "if-none-exist": condition.query})
        else:
            asked = replace(exchange, query=condition.query)
        if len(self.owners.keepers_of(kept_type)) == 1:
            return await asked.forward(self.owners.keepers_of(kept_type)[0])
        owner = self._content_owner(exchange, kept_type)
        async with self.conditions.held(exchange, [condition]) as [holder]:
            return await asked.forward(holder or owner)

    async def _type_history(self, exchange: Exchange, kept_type: str) -> Reply:
        keepers = self.owners.keepers_of(kept_type)
        if len(keepers) == 1:
            return await exchange.forward(keepers[0])
        return await self.searches.over(exchange, f"{kept_type}/_history", keepers, "history")

    def _content_owner(self, exchange: Exchange, kept_type: str) -> str:
        keepers = self.owners.keepers_of(kept_type)
        if len(keepers) == 1 or exchange.method not in ("POST", "PUT") or not exchange.body:
            return keepers[0]
        tree: Any = decoded(exchange.body)
        # A body of another type is the keeper's to refuse, with the element named.
        fits = isinstance(tree, dict) and tree.get("resourceType") == kept_type
        if fits:
            demand_one_teller(tree, self.owners, exchange.base)
        ownership = self.owners.owner_of(tree) if fits else None
        return ownership.owner if ownership else keepers[0]

    # --- by id ----------------------------------------------------------------------------------------------

    async def _of_instance(self, exchange: Exchange, kept_type: str, resource_id: str) -> Reply:
        owner = self.owners.owner_of_read(kept_type, resource_id) or ""
        if self.owners.is_certain(kept_type, resource_id):
            return await exchange.forward(owner)
        if exchange.method in ("GET", "HEAD"):
            return await read_of_any(exchange, self.owners.keepers_of(kept_type))
        # An imported id carries no letter: whoever holds it answers, else whoever would keep it.
        holder = await holder_of(exchange, self.owners, kept_type, resource_id)
        if holder is None and exchange.method == "PUT":
            holder = self._content_owner(exchange, kept_type)
        return await exchange.forward(holder or owner)

    # --- Bundles --------------------------------------------------------------------------------------------

    async def _bundle(self, exchange: Exchange) -> Reply:
        if exchange.method != "POST":
            raise refusal(
                405,
                "not-supported",
                "The base takes transactions and batches by POST; a search names a type.",
                "根地址只接受以 POST 提交的 transaction 和 batch；检索须指明类型。",
                headers={"Allow": "GET, HEAD, POST"},
                detail="front.base-takes-bundles",
            )
        bundle, entries = raw_bundle(exchange.body)
        if len(entries) > self.max_entries:
            raise too_costly(f"at most {self.max_entries} entries", f"最多 {self.max_entries} 个条目")
        kind = decoded(bundle["type"]) if "type" in bundle else None
        if kind not in ("transaction", "batch") or not entries:
            # Nothing to route by: the default keeper of most types says what is wrong with it.
            return await exchange.forward("order")
        found = places(entries, self.owners, exchange.base)
        if kind == "transaction":
            return await Transactions(self.owners, self.conditions).answer(exchange, bundle, entries, found)
        return await Batches(self.owners, self.asked).answer(exchange, bundle, entries, found)

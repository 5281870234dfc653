"""What a caller of some time ago may do now: whether his client and account still stand, and which scopes they hold.

A subscription lives longer than the token it was asked for with. Before anything is told, its subscriber is looked up:
a client that is no longer registered or an account that is locked or ended is told nothing, a scope or role taken away
is gone; break-glass rights ended with their session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

import asyncpg

from slipring.fhir.caller import Caller
from slipring.identity.clients import read_client
from slipring.identity.keys import table
from slipring.identity.people.accounts import COLUMNS, Account, account_of
from slipring.identity.people.minting import PAGES_CLIENT
from slipring.identity.people.reach import reach
from slipring.identity.people.roles import the_roles
from slipring.identity.scopes import outside

_TRUST_SECONDS = 5.0  # what was looked up holds so long
_REMEMBERED = 4096


class Standings:
    """Looks callers up in the front's schema, each at most once in a few seconds."""

    def __init__(self, pool: asyncpg.Pool, schema: str, now: Callable[[], datetime]) -> None:
        self._pool, self._schema, self._now = pool, schema, now
        self._remembered: dict[Caller, tuple[Caller | None, float]] = {}

    async def of(self, caller: Caller) -> Caller | None:
        """The caller with the scopes that still stand; None when he is to be told nothing."""
        if not caller.client:  # a subscription from before its subscriber was kept
            return caller
        found = self._remembered.get(caller)
        if found is None or time.monotonic() >= found[1]:
            while len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            found = (await self._looked_up(caller), time.monotonic() + _TRUST_SECONDS)
            self._remembered[caller] = found
        return found[0]

    async def _looked_up(self, caller: Caller) -> Caller | None:
        accounts = await self._accounts(caller.practitioner) if caller.practitioner else []
        usable = [account for account in accounts if account.usable(self._now())]
        if accounts and not usable:
            return None
        own = caller.client == PAGES_CLIENT
        client = None if own else await read_client(self._pool, self._schema, caller.client)
        if not own and client is None:
            return None
        if client is not None and not client.redirect_uris:
            return _within(caller, client.scopes)
        if not usable:  # acted in the name of somebody who has none any more
            return None
        may = caller.scopes if client is None else client.scopes
        roles = [role for account in usable for role in account.roles]
        return replace(caller, scopes=frozenset(reach(caller.scopes, may, the_roles().scopes(roles))))

    async def _accounts(self, practitioner: str) -> list[Account]:
        """All accounts of a person: one may have ended when the next was opened."""
        rows = await self._pool.fetch(
            f"SELECT {COLUMNS} FROM {table(self._schema, 'account')} WHERE practitioner = $1", practitioner
        )
        return [account_of(row) for row in rows]


def _within(caller: Caller, registered: Iterable[str]) -> Caller:
    gone = set(outside(caller.scopes, list(registered)))
    return replace(caller, scopes=caller.scopes - gone) if gone else caller

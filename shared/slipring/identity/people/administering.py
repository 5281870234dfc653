"""What an administrator does to accounts; each act is recorded, and what it takes away is taken at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from slipring.identity.keys import table
from slipring.identity.people.accounts import (
    Account,
    NotAnAccount,
    add_account,
    change_account,
    change_password,
    checked,
    folded,
    person_exists,
    read_account,
)
from slipring.identity.people.figures import the_figures
from slipring.identity.people.passwords import Passwords, new_initial_password
from slipring.identity.people.recording import record
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import end_all


@dataclass(frozen=True, slots=True)
class Administration:
    """One act in an open transaction; the connection looks into the front's schema first."""

    connection: asyncpg.Connection
    schema: str
    now: datetime

    async def add(
        self,
        name: str,
        practitioner: str,
        roles: Sequence[str],
        *,
        ends_at: datetime | None = None,
        issuer: str = "",
        subject: str = "",
        password: str = "",
        by: str,
    ) -> str:
        """Add an account; its first password, or '' when the person signs in at the hospital's provider."""
        told = not password and not issuer  # a first password is known to whoever made it
        wanted = list(dict.fromkeys(roles))
        account = Account(folded(name), practitioner, wanted, "", told, "active", ends_at, issuer, subject)
        account = checked(account, the_roles(), self.now)
        if not await person_exists(self.connection, self._order_schema(), practitioner):
            raise NotAnAccount(f"{practitioner} is not in the staff register (order keeps Practitioner).")
        first = "" if issuer else password or new_initial_password()
        kept = await Passwords(the_figures()).kept(first) if first else ""
        await add_account(self.connection, self.schema, replace(account, password_hash=kept), self.now)
        await self._record("account-add", account, by, tuple(account.roles))
        return first

    async def lock(self, name: str, *, by: str) -> None:
        """Nobody gets in with it until it is unlocked."""
        account = await self._standing(name)
        await change_account(self.connection, self.schema, account.name, state="locked")
        await end_all(self.connection, self.schema, account.name)
        await self._record("account-lock", account, by)

    async def unlock(self, name: str, *, by: str) -> None:
        """Take off a lock, and the wait after wrong passwords."""
        account = await self._standing(name)
        await change_account(self.connection, self.schema, account.name, state="active")
        key = hashlib.sha256(account.name.encode()).hexdigest()
        await self.connection.execute(f"DELETE FROM {table(self.schema, 'sign_in_tries')} WHERE name_sha256 = $1", key)
        await self._record("account-unlock", account, by)

    async def reset(self, name: str, *, by: str) -> str:
        """A new first password; every session and token of the account ends."""
        account = await self._standing(name)
        if account.issuer and not account.password_hash:
            raise NotAnAccount(f"{account.name} signs in at {account.issuer}: its password is kept there.")
        first = new_initial_password()
        kept = await Passwords(the_figures()).kept(first)
        await change_password(self.connection, self.schema, account.name, kept, self.now, must_change=True)
        await end_all(self.connection, self.schema, account.name)
        await self._record("password-reset", account, by)
        return first

    async def end(self, name: str, *, by: str) -> None:
        """End it for good."""
        account = await self._standing(name)
        await change_account(self.connection, self.schema, account.name, state="ended")
        await end_all(self.connection, self.schema, account.name)
        await self._record("account-end", account, by)

    async def give_roles(self, name: str, roles: Sequence[str], *, by: str) -> None:
        """Other roles instead of those it has; its sessions end, so that nobody works on with the old ones."""
        account = await self._standing(name)
        wanted = checked(replace(account, roles=list(dict.fromkeys(roles))), the_roles(), self.now)
        await change_account(self.connection, self.schema, account.name, roles=list(wanted.roles))
        await end_all(self.connection, self.schema, account.name)
        await self._record("role-change", account, by, tuple(wanted.roles))

    async def _standing(self, name: str) -> Account:
        account = await read_account(self.connection, self.schema, name)
        if account is None:
            raise NotAnAccount(f"There is no account {folded(name)!r}.")
        if account.state == "ended":
            raise NotAnAccount(f"{account.name} has ended for good; add another account.")
        return account

    async def _record(self, what: str, account: Account, by: str, details: tuple[str, ...] = ()) -> None:
        await record(
            self.connection, what, account.name, self.now, practitioner=account.practitioner, by=by, details=details
        )

    def _order_schema(self) -> str:
        return f"{self.schema.removesuffix('front')}order"

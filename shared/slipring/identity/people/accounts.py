"""Accounts: one Practitioner each, roles, and a password or a link to the hospital's own sign-in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from slipring.identity.keys import Reader, table
from slipring.identity.people.roles import RoleTable

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}", re.ASCII)
_PRACTITIONER = re.compile(r"Practitioner/[A-Za-z0-9\-.]{1,64}", re.ASCII)
COLUMNS = "name, practitioner, roles, password_hash, must_change, state, ends_at, issuer, subject"


class NotAnAccount(Exception):
    """What was asked cannot be an account, or there is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it stands."""

    name: str
    practitioner: str  # Practitioner/<id>
    roles: Sequence[str]
    password_hash: str
    must_change: bool
    state: str  # active, locked, ended
    ends_at: datetime | None = None
    issuer: str = ""
    subject: str = ""

    def usable(self, now: datetime) -> bool:
        """Whether this person may be signed in at all."""
        return self.state == "active" and (self.ends_at is None or now < self.ends_at)


def folded(name: str) -> str:
    """A name as it is kept: people type blanks and capitals."""
    return name.strip().casefold()


def account_of(row: Any) -> Account:
    """The account in a row of `COLUMNS`."""
    return Account(*(row[column] for column in COLUMNS.split(", ")))


async def read_account(connection: Reader, schema: str, name: str) -> Account | None:
    """The account of this name."""
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM {table(schema, 'account')} WHERE name = $1", folded(name))
    return account_of(row) if row else None


async def all_accounts(connection: Reader, schema: str) -> list[Account]:
    """Every account by name."""
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM {table(schema, 'account')} ORDER BY name")
    return [account_of(row) for row in rows]


def checked(account: Account, roles: RoleTable, now: datetime) -> Account:
    """The account if it may be kept; NotAnAccount says what is wrong with it."""
    if not _NAME.fullmatch(account.name):
        raise NotAnAccount("A name has 2 to 64 small letters, digits, dots, dashes and underscores.")
    if not _PRACTITIONER.fullmatch(account.practitioner):
        raise NotAnAccount("An account belongs to exactly one person: Practitioner/<id>.")
    people = {role.code for role in roles.people()}
    unknown = [code for code in account.roles if code not in people]
    if unknown or not account.roles:
        known = ", ".join(sorted(people))
        raise NotAnAccount(
            f"Not a role: {', '.join(unknown)}. There are {known}." if unknown else f"A role of {known}."
        )
    for role in roles.of(account.roles):
        if role.days is None:
            continue
        if account.ends_at is None or (account.ends_at - now).days > role.days:
            raise NotAnAccount(f"An account with the role {role.code} ends within {role.days} days: say --until.")
    clinical = {role.clinical for role in roles.of(account.roles)}
    if len(clinical) > 1:
        raise NotAnAccount("An administrator sees no clinical data: that role goes with no other one.")
    return account


async def add_account(connection: asyncpg.Connection, schema: str, account: Account, now: datetime) -> None:
    """Keep a new account; NotAnAccount when the name or the outside identity is taken."""
    try:
        await connection.execute(
            f"INSERT INTO {table(schema, 'account')} ({COLUMNS}, created_at, password_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            account.name,
            account.practitioner,
            list(account.roles),
            account.password_hash,
            account.must_change,
            account.state,
            account.ends_at,
            account.issuer,
            account.subject,
            now,
            now if account.password_hash else None,
        )
    except asyncpg.UniqueViolationError:
        raise NotAnAccount("This name, or this identity at the hospital's sign-in, has an account already.") from None


async def change_account(connection: asyncpg.Connection, schema: str, name: str, **changed: Any) -> Account:
    """The account with these columns changed; NotAnAccount when there is none."""
    names = [column for column in changed if column in COLUMNS.split(", ")]
    sets = ", ".join(f"{column} = ${number}" for number, column in enumerate(names, 2))
    row = await connection.fetchrow(
        f"UPDATE {table(schema, 'account')} SET {sets} WHERE name = $1 RETURNING {COLUMNS}",
        folded(name),
        *(changed[column] for column in names),
    )
    if row is None:
        raise NotAnAccount(f"There is no account {folded(name)!r}.")
    return account_of(row)


async def change_password(
    connection: asyncpg.Connection, schema: str, name: str, kept: str, now: datetime, *, must_change: bool = False
) -> None:
    """Keep another password hash; `must_change` when somebody else chose it."""
    await connection.execute(
        f"UPDATE {table(schema, 'account')} SET password_hash = $2, must_change = $3, password_at = $4 WHERE name = $1",
        name,
        kept,
        must_change,
        now,
    )


async def person_exists(connection: Reader, order_schema: str, practitioner: str) -> bool:
    """Whether the staff register, which order keeps, knows this person."""
    row = await connection.fetchrow(
        f"SELECT NOT deleted AS there FROM {table(order_schema, 'resource')}"
        " WHERE type = 'Practitioner' AND id = $1 AND source = ''",
        practitioner.partition("/")[2],
    )
    return bool(row and row["there"])

"""Sessions of our pages: an opaque cookie, a row here, an idle and an absolute end."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from slipring.identity.keys import table
from slipring.identity.people.accounts import COLUMNS, Account, account_of
from slipring.identity.people.figures import Figures
from slipring.identity.revoked import revoke

_TOUCH = timedelta(seconds=60)  # how often being seen is written down
_QUALIFIED = ", ".join(f"a.{column}" for column in COLUMNS.split(", "))


@dataclass(frozen=True, slots=True)
class Emergency:
    """Break-glass rights that are held now."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    sid: str
    account: Account
    way: str  # password, provider
    auth_at: datetime
    seen_at: datetime
    ends_at: datetime
    emergency: Emergency | None = None

    @property
    def roles(self) -> Sequence[str]:
        """The roles the account has now, not those at sign-in."""
        return self.account.roles

    def fresh(self, now: datetime, seconds: int) -> bool:
        """Whether the person proved who he is within so many seconds."""
        return now - self.auth_at <= timedelta(seconds=seconds)


def hashed(secret: str) -> str:
    """How a bearer secret is kept: whoever reads the table cannot use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin(
    connection: asyncpg.Connection,
    schema: str,
    account: str,
    way: str,
    now: datetime,
    figures: Figures,
    old: str = "",
    *,
    proved_at: datetime | None = None,
) -> tuple[str, str]:
    """A new session: its cookie and its sid. The cookie that was there before (`old`) means nothing any more."""
    sessions = table(schema, "session")
    await connection.execute(
        f"DELETE FROM {sessions} WHERE cookie_sha256 = $1 OR ends_at < $2 OR seen_at < $3",
        hashed(old),
        now,
        now - figures.session_idle,
    )
    cookie, sid = secrets.token_urlsafe(32), str(uuid.uuid4())
    await connection.execute(
        f"INSERT INTO {sessions} (cookie_sha256, sid, account, way, auth_at, seen_at, ends_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        hashed(cookie),
        sid,
        account,
        way,
        proved_at or now,
        now,
        now + figures.session_longest,
    )
    return cookie, sid


async def find(
    pool: Any,
    schema: str,
    cookie: str,
    now: datetime,
    figures: Figures,
    *,
    by_sid: bool = False,
    awake: bool = True,
) -> Session | None:
    """Who is signed in with this cookie (or under this sid), as the account stands now.

    Being looked up keeps it awake, but for a screen that asks by itself (`awake` false).
    """
    key = "s.sid" if by_sid else "s.cookie_sha256"
    row = await pool.fetchrow(
        f"SELECT {_QUALIFIED}, s.sid, s.way, s.auth_at, s.seen_at, s.ends_at AS session_ends_at,"
        " e.reason, e.until FROM {sessions} s JOIN {accounts} a ON a.name = s.account"
        " LEFT JOIN LATERAL (SELECT reason, until FROM {emergencies} WHERE sid = s.sid AND until > $2"
        "   ORDER BY until DESC LIMIT 1) e ON true".format(
            sessions=table(schema, "session"),
            accounts=table(schema, "account"),
            emergencies=table(schema, "emergency"),
        )
        + f" WHERE {key} = $1",
        cookie if by_sid else hashed(cookie),
        now,
    )
    if row is None or now >= row["session_ends_at"] or now - row["seen_at"] >= figures.session_idle:
        return None
    account = account_of(row)
    if not account.usable(now):
        return None
    if now - row["seen_at"] >= _TOUCH and awake and not by_sid:
        await pool.execute(
            f"UPDATE {table(schema, 'session')} SET seen_at = $2 WHERE sid = $1 AND seen_at < $2", row["sid"], now
        )
    emergency = Emergency(row["reason"], row["until"]) if row["until"] else None
    return Session(row["sid"], account, row["way"], row["auth_at"], row["seen_at"], row["session_ends_at"], emergency)


async def end(connection: asyncpg.Connection, schema: str, sid: str) -> None:
    """Sign out here: the session, and every access token that was given through it."""
    await connection.execute(f"DELETE FROM {table(schema, 'session')} WHERE sid = $1", sid)
    await revoke(connection, schema, "sid", sid)


async def end_all(connection: asyncpg.Connection, schema: str, account: str) -> None:
    """Sign out everywhere: every session with its access tokens, and every refresh token held for this person."""
    ended = await connection.fetch(f"DELETE FROM {table(schema, 'session')} WHERE account = $1 RETURNING sid", account)
    held = await connection.fetch(
        f"UPDATE {table(schema, 'refresh_token')} SET revoked = true WHERE account = $1 AND NOT revoked"
        " RETURNING family AS sid",
        account,
    )
    await connection.execute(f"DELETE FROM {table(schema, 'authorization_code')} WHERE account = $1", account)
    for sid in {row["sid"] for row in (*ended, *held)}:
        await revoke(connection, schema, "sid", sid)

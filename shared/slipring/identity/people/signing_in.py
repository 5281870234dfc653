"""Signing in with name and password: the same work and the same words whatever is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from slipring.fhir.outcome import FhirError, Issue, refusal
from slipring.identity.keys import table
from slipring.identity.people import sessions
from slipring.identity.people.accounts import Account, change_password, folded, read_account
from slipring.identity.people.figures import Figures, the_figures
from slipring.identity.people.lockout import Tries, counted
from slipring.identity.people.passwords import Passwords, wrong_with
from slipring.identity.people.recording import record
from slipring.identity.people.sessions import Session

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class People:
    """The people of the department as the front knows them; `pool` looks into the front's schema."""

    pool: asyncpg.Pool
    schema: str
    now: Callable[[], datetime]
    figures: Figures = field(default_factory=the_figures)
    passwords: Passwords = field(default_factory=lambda: Passwords(the_figures()))
    locked: Callable[[], None] = lambda: None  # told of every lock that wrong passwords bring

    async def sign_in(self, name: str, password: str, *, request_id: str = "", old: str = "") -> str:
        """The cookie of a new session; 401 in words that tell nothing about what was wrong."""
        account = await self.proved(name, password, request_id=request_id)
        return await self.let_in(account, "password", request_id=request_id, old=old)

    async def let_in(
        self, account: Account, way: str, *, request_id: str = "", old: str = "", proved_at: datetime | None = None
    ) -> str:
        """Begin a session of somebody who proved who he is, now or at `proved_at`; a session from before is replaced."""
        now = self.now()
        async with self.pool.acquire() as connection, connection.transaction():
            cookie, _ = await sessions.begin(
                connection, self.schema, account.name, way, now, self.figures, old, proved_at=proved_at
            )
            await record(
                connection,
                "sign-in",
                account.name,
                now,
                practitioner=account.practitioner,
                request_id=request_id,
                details=(way,),
            )
        return cookie

    async def proved(self, name: str, password: str, *, request_id: str = "") -> Account:
        """The account whose password this is; 401 otherwise, with the try counted and recorded."""
        key, now = hashlib.sha256(folded(name)[:_LONGEST_NAME].encode()).hexdigest(), self.now()
        looked_at = await self._counted(key, now)
        account = await read_account(self.pool, self.schema, folded(name)[:_LONGEST_NAME].replace("\0", ""))
        fits = await self.passwords.fits(account.password_hash if account else "", password)
        if account is None or not fits or not looked_at or not account.usable(now):
            await self._refused(account, key, now, request_id)
            raise not_you()
        await self._proved(account, key, password)
        return account

    async def session(self, cookie: str, *, awake: bool = True) -> Session | None:
        """Who is signed in with this cookie; `awake`: a person does something, which keeps the session from ending."""
        if not cookie:
            return None
        return await sessions.find(self.pool, self.schema, cookie, self.now(), self.figures, awake=awake)

    async def choose_password(self, session: Session, old: str, new: str, *, request_id: str = "") -> str:
        """Another password, proved by the present one; every other session ends. The new session's cookie."""
        issue = wrong_with(new, session.account.name, self.figures)
        if issue is not None:
            raise FhirError(422, [issue])
        account = await self.proved(session.account.name, old, request_id=request_id)
        if await self.passwords.fits(account.password_hash, new):
            en, zh = "The new password is the old one.", "新密码与旧密码相同。"
            raise refusal(422, "value", en, zh, at="password", detail="identity.password-unchanged")
        kept, now = await self.passwords.kept(new), self.now()
        async with self.pool.acquire() as connection, connection.transaction():
            await change_password(connection, self.schema, account.name, kept, now)
            await sessions.end_all(connection, self.schema, account.name)
            cookie, _ = await sessions.begin(connection, self.schema, account.name, "password", now, self.figures)
            await record(
                connection,
                "password-change",
                account.name,
                now,
                practitioner=account.practitioner,
                request_id=request_id,
            )
        return cookie

    async def sign_out(self, session: Session, *, everywhere: bool = False, request_id: str = "") -> None:
        """End this session, or all of this person's and every token that clients could still renew."""
        async with self.pool.acquire() as connection, connection.transaction():
            if everywhere:
                await sessions.end_all(connection, self.schema, session.account.name)
            await sessions.end(connection, self.schema, session.sid)
            await record(
                connection,
                "sign-out",
                session.account.name,
                self.now(),
                practitioner=session.account.practitioner,
                request_id=request_id,
                details=("everywhere",) if everywhere else (),
            )

    async def _counted(self, key: str, now: datetime) -> bool:
        """Count this try before its password is looked at; whether it may be."""
        tries = table(self.schema, "sign_in_tries")
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"INSERT INTO {tries} (name_sha256, failures, last_at) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
                key,
                now,
            )
            row = await connection.fetchrow(
                f"SELECT failures, last_at, locked_until FROM {tries} WHERE name_sha256 = $1 FOR UPDATE", key
            )
            if row is None:  # whoever signed in at this moment took the row along: the next try counts
                return True
            after, looked_at = counted(Tries(row["failures"], row["last_at"], row["locked_until"]), now, self.figures)
            await connection.execute(
                f"UPDATE {tries} SET failures = $2, last_at = $3, locked_until = $4 WHERE name_sha256 = $1",
                key,
                after.failures,
                after.last_at,
                after.locked_until,
            )
        if looked_at and after.locked(now):
            self.locked()
        return looked_at

    async def _refused(self, account: Account | None, key: str, now: datetime, request_id: str) -> None:
        tries = table(self.schema, "sign_in_tries")
        async with self.pool.acquire() as connection, connection.transaction():
            locked = await connection.fetchval(f"SELECT locked_until FROM {tries} WHERE name_sha256 = $1", key)
            await connection.execute(
                f"DELETE FROM {tries} WHERE last_at < $1", now - self.figures.failures_forgotten_after
            )
            await record(
                connection,
                "lockout" if locked and locked > now else "sign-in-refused",
                account.name if account else "",
                now,
                practitioner=account.practitioner if account else "",
                request_id=request_id,
                outcome=401,
            )

    async def _proved(self, account: Account, key: str, password: str) -> None:
        if self.passwords.outdated(account.password_hash):
            kept = await self.passwords.kept(password)
            await self.pool.execute(
                f"UPDATE {table(self.schema, 'account')} SET password_hash = $3 WHERE name = $1 AND password_hash = $2",
                account.name,
                account.password_hash,
                kept,
            )
        await self.pool.execute(f"DELETE FROM {table(self.schema, 'sign_in_tries')} WHERE name_sha256 = $1", key)


def not_you() -> FhirError:
    """401: one sentence for an unknown name, a wrong password, a locked and an ended account."""
    issue = Issue(
        "login",
        zh="账户名或密码不正确，或账户暂时锁定。多次输错后须等待一段时间；需要帮助请联系管理员。",
        en="Name and password do not fit, or the account is locked for a while. After several wrong tries one has to"
        " wait; an administrator can help.",
        at="password",
        detail="identity.sign-in-refused",
    )
    return FhirError(401, [issue])

"""Codes and refresh tokens become access tokens: each once, and never more than the person's roles allow now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from slipring.identity.clients import Client
from slipring.identity.keys import table
from slipring.identity.people.accounts import Account, read_account
from slipring.identity.people.figures import Figures, the_figures
from slipring.identity.people.minting import Mint
from slipring.identity.people.reach import reach
from slipring.identity.people.recording import record
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Emergency, find, hashed
from slipring.identity.revoked import revoke
from slipring.identity.token import TOKEN_SECONDS, TokenRefused

_LONGEST_VERIFIER = 128


@dataclass(frozen=True, slots=True)
class _Grant:
    """What one exchange gives."""

    account: Account
    scopes: list[str]
    refresh_token: str  # '' = none
    emergency: Emergency | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """The token endpoint's part for people's clients; the client has been authenticated already."""

    mint: Mint
    fhir: str  # our FHIR base
    figures: Figures

    @classmethod
    def of(cls, mint: Mint, fhir: str) -> Exchange:
        """With the shipped figures."""
        return cls(mint, fhir, the_figures())

    async def grant(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """The token answer, or TokenRefused."""
        if form["grant_type"] == "authorization_code":
            return await self._by_code(client, form)
        return await self._by_refresh(client, form)

    async def revoke(self, client: Client, token: str) -> None:
        """Revoke a refresh token with all that came from the same sign-in, access tokens too (RFC 7009 2.1).

        Unknown ones are no error.
        """
        refresh = table(self.mint.schema, "refresh_token")
        async with self.mint.pool.acquire() as connection, connection.transaction():
            ended = await connection.fetch(
                f"UPDATE {refresh} SET revoked = true WHERE NOT revoked AND family IN"
                f" (SELECT family FROM {refresh} WHERE token_sha256 = $1 AND client = $2) RETURNING family",
                hashed(token),
                client.id,
            )
            for row in ended:
                await revoke(connection, self.mint.schema, "sid", row["family"])

    async def _by_code(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        codes, key = table(self.mint.schema, "authorization_code"), hashed(form.get("code", ""))
        async with self.mint.pool.acquire() as connection:
            row = await connection.fetchrow(
                f"UPDATE {codes} SET used = true WHERE code_sha256 = $1 AND client = $2 AND NOT used RETURNING *",
                key,
                client.id,
            )
            if row is None:
                await self._twice(connection, codes, "code_sha256", key)
                raise _no_grant()
            fits = row["redirect_uri"] == form.get("redirect_uri") and _proves(form, row["challenge"])
            if self.mint.now() >= row["expires_at"] or not fits:
                raise _no_grant()
            async with connection.transaction():
                grant = await self._granted(connection, client, row, row["scopes"])
        return await self._answer(client, row, grant, nonce=row["nonce"])

    async def _by_refresh(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        refresh, key = table(self.mint.schema, "refresh_token"), hashed(form.get("refresh_token", ""))
        async with self.mint.pool.acquire() as connection:
            async with connection.transaction():
                row = await connection.fetchrow(
                    f"UPDATE {refresh} SET used = true WHERE token_sha256 = $1 AND client = $2 AND NOT used"
                    " AND NOT revoked AND expires_at > $3 RETURNING *",
                    key,
                    client.id,
                    self.mint.now(),
                )
                if row is not None:
                    asked = form.get("scope", "").split()
                    scopes = reach(asked, row["scopes"], row["scopes"]) if asked else row["scopes"]
                    grant = await self._granted(connection, client, row, scopes)
            if row is None:
                await self._twice(connection, refresh, "token_sha256", key)
                raise _no_grant()
        return await self._answer(client, row, grant)

    async def _granted(self, connection: asyncpg.Connection, client: Client, row: Any, scopes: list[str]) -> _Grant:
        """What may be given for this row now, with the next refresh token, in the open transaction."""
        account, emergency = await self._still_there(connection, row)
        granted = reach(scopes, scopes, the_roles().scopes(account.roles, emergency=emergency is not None))
        if not granted:
            raise _no_grant()
        refreshed = bool({"offline_access", "online_access"} & set(row["scopes"]))
        token = await self._refresh_token(connection, client, row) if refreshed else ""
        await record(
            connection, "token", account.name, self.mint.now(), practitioner=account.practitioner, by=client.id
        )
        return _Grant(account, granted, token, emergency)

    async def _answer(self, client: Client, row: Any, grant: _Grant, *, nonce: str = "") -> dict[str, Any]:
        account, scopes, since, sid = grant.account, grant.scopes, row["auth_at"], row["sid"]
        # What outlives the session ends with its refresh tokens instead.
        bound = row["family"] if "offline_access" in row["scopes"] else sid
        answer: dict[str, Any] = {
            "access_token": await self.mint.access_token(
                account, client.id, scopes, since, bound, patient=row["patient"], emergency=grant.emergency
            ),
            "token_type": "bearer",
            "expires_in": self._lives(grant),
            "scope": " ".join(scopes),
        }
        if row["patient"]:
            answer["patient"] = row["patient"]
        if "openid" in scopes:
            answer["id_token"] = await self.mint.id_token(account, client.id, scopes, since, sid, nonce, self.fhir)
        if grant.refresh_token:
            answer["refresh_token"] = grant.refresh_token
        return answer

    def _lives(self, grant: _Grant) -> int:
        if grant.emergency is None:
            return TOKEN_SECONDS
        return min(TOKEN_SECONDS, int((grant.emergency.until - self.mint.now()).total_seconds()))

    async def _still_there(self, connection: asyncpg.Connection, row: Any) -> tuple[Account, Emergency | None]:
        """The account, if it may still be used, and, without offline access, its session still lasts.

        Break-glass rights belong to the session: a client that outlives it never holds them.
        """
        mint, now = self.mint, self.mint.now()
        if "offline_access" not in row["scopes"]:
            session = await find(connection, mint.schema, row["sid"], now, self.figures, by_sid=True)
            if session is None or session.account.must_change:
                raise _no_grant()
            return session.account, session.emergency
        account = await read_account(connection, mint.schema, row["account"])
        if account is None or not account.usable(now) or account.must_change:
            raise _no_grant()
        return account, None

    async def _refresh_token(self, connection: asyncpg.Connection, client: Client, row: Any) -> str:
        token, refresh, now = secrets.token_urlsafe(32), table(self.mint.schema, "refresh_token"), self.mint.now()
        lives = self.figures.refresh_lives if "offline_access" in row["scopes"] else self.figures.session_longest
        first = row["expires_at"] if "token_sha256" in row else now + lives  # rotation prolongs nothing
        await connection.execute(f"DELETE FROM {refresh} WHERE expires_at < $1", now)
        await connection.execute(
            f"INSERT INTO {refresh} (token_sha256, family, client, sid, account, scopes, patient, auth_at, expires_at,"
            " used, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, false)",
            hashed(token),
            row["family"],
            client.id,
            row["sid"],
            row["account"],
            row["scopes"],
            row["patient"],
            row["auth_at"],
            first,
        )
        return token

    async def _twice(self, connection: asyncpg.Connection, place: str, column: str, key: str) -> None:
        """What was used before came again: whoever sent it first or now stole it, so the whole family ends."""
        async with connection.transaction():
            row = await connection.fetchrow(f"SELECT family, account FROM {place} WHERE {column} = $1 AND used", key)
            if row is None:
                return
            await connection.execute(
                f"UPDATE {table(self.mint.schema, 'refresh_token')} SET revoked = true WHERE family = $1", row["family"]
            )
            await revoke(connection, self.mint.schema, "sid", row["family"])
            await record(connection, "token-reuse", row["account"], self.mint.now(), outcome=400)


def _proves(form: Mapping[str, str], challenge: str) -> bool:
    """PKCE (RFC 7636 4.6): the verifier is the one behind the challenge."""
    verifier = form.get("code_verifier", "")
    if not 43 <= len(verifier) <= _LONGEST_VERIFIER or not verifier.isascii():
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _no_grant() -> TokenRefused:
    return TokenRefused(
        "invalid_grant", "The code or refresh token is not valid, was used, or belongs to another client."
    )

"""Tokens in a person's name: who, since when, in which session, and no longer than five minutes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from joserfc import jwt

from slipring.fhir.caller import BREAK_GLASS
from slipring.identity.keys import TOKEN_ALGORITHM, newest_token_key
from slipring.identity.people.accounts import Account
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Emergency, Session
from slipring.identity.token import AUDIENCE, TOKEN_SECONDS

PAGES_CLIENT = "slipring-pages"


@dataclass(frozen=True, slots=True)
class Mint:
    """Signs tokens with the newest key of the front."""

    pool: asyncpg.Pool
    schema: str
    issuer: str
    now: Callable[[], datetime]
    demo: bool = False

    async def access_token(
        self,
        account: Account,
        client: str,
        scopes: Iterable[str],
        auth_at: datetime,
        sid: str,
        *,
        patient: str = "",
        emergency: Emergency | None = None,
    ) -> str:
        """An access token by which a service knows the person, when he proved who he is, and what he may do."""
        claims = self._claims(account, auth_at, sid)
        claims |= {"aud": AUDIENCE, "client_id": client, "scope": " ".join(scopes), "fhirUser": account.practitioner}
        if patient:
            claims["patient"] = patient
        if emergency is not None:
            claims["purpose_of_use"] = BREAK_GLASS
            claims["exp"] = min(claims["exp"], int(emergency.until.timestamp()))
        return await self._signed(claims)

    async def for_pages(self, session: Session) -> str:
        """The token of a page's inner calls: everything the roles allow now, and break-glass rights while held."""
        scopes = the_roles().scopes(session.roles, emergency=session.emergency is not None)
        return await self.access_token(
            session.account, PAGES_CLIENT, scopes, session.auth_at, session.sid, emergency=session.emergency
        )

    async def for_itself(self, scopes: Iterable[str]) -> str:
        """A token of the pages in nobody's name, for what must be known or told before it is known who asks."""
        issued = int(self.now().timestamp())
        claims: dict[str, Any] = {"iss": self.issuer, "sub": PAGES_CLIENT, "iat": issued, "exp": issued + TOKEN_SECONDS}
        claims |= {"jti": uuid.uuid4().hex, "aud": AUDIENCE, "client_id": PAGES_CLIENT, "scope": " ".join(scopes)}
        return await self._signed(claims | {"demo": True} if self.demo else claims)

    async def id_token(
        self, account: Account, client: str, scopes: Sequence[str], auth_at: datetime, sid: str, nonce: str, fhir: str
    ) -> str:
        """An OpenID Connect id_token; `fhir` is our FHIR base, below which the person's resource lies."""
        claims = self._claims(account, auth_at, sid) | {"aud": client}
        if nonce:
            claims["nonce"] = nonce
        if "fhirUser" in scopes:
            claims["fhirUser"] = f"{fhir}/{account.practitioner}"
        return await self._signed(claims)

    def _claims(self, account: Account, auth_at: datetime, sid: str) -> dict[str, Any]:
        issued = int(self.now().timestamp())
        ends = int(account.ends_at.timestamp()) if account.ends_at else issued + TOKEN_SECONDS
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": account.name,
            "iat": issued,
            "exp": min(issued + TOKEN_SECONDS, ends),  # no token outlives its account
            "jti": uuid.uuid4().hex,
            "auth_time": int(auth_at.timestamp()),
            "sid": sid,
        }
        return claims | {"demo": True} if self.demo else claims

    async def _signed(self, claims: dict[str, Any]) -> str:
        key = await newest_token_key(self.pool, self.schema)
        return jwt.encode({"alg": TOKEN_ALGORITHM, "kid": key.kid}, claims, key, algorithms=[TOKEN_ALGORITHM])

"""Checks access tokens: each service by itself, against the published key set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import asyncpg
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from slipring.fhir.caller import BREAK_GLASS, Caller
from slipring.fhir.outcome import unauthorized
from slipring.identity.keys import TOKEN_ALGORITHM, Jwk, public_token_keys
from slipring.identity.revoked import LoadRevoked, Mark, Revoked
from slipring.identity.token import AUDIENCE

LoadKeys = Callable[[], Awaitable[list[Jwk]]]
_REMEMBERED = 4096
_REFRESH_SECONDS = 1.0  # at most one look for an unknown key per second, whoever knocks
_TRUST_SECONDS = 60.0  # a key taken out of the set stops verifying after this
_LONGEST_TOKEN = 8192
_LEEWAY_SECONDS = 5
_REVOCABLE = {"client": "client_id", "jti": "jti", "sid": "sid"}  # kind of a revocation -> the claim it is about
_HEADERS = {"alg", "kid", "typ"}


def keys_from_database(pool: asyncpg.Pool, schema: str) -> LoadKeys:
    """Load the key set from the front's schema (the services share its database)."""

    async def load() -> list[Jwk]:
        return await public_token_keys(pool, schema)

    return load


class TokenVerifier:
    """Turns an Authorization header into a Caller; what was verified once is remembered until it expires."""

    def __init__(
        self,
        load_keys: LoadKeys,
        now: Callable[[], datetime],
        *,
        issuer: str = "",
        demo: bool | None = None,
        revoked: LoadRevoked | None = None,
    ) -> None:
        """`issuer`: only tokens made out by it, when given; `demo`: only tokens of a demo, or only real ones.

        `revoked`: what is refused though it has not ended; a token that is remembered is judged by it all the same.
        """
        self._revoked = Revoked(revoked)
        self._load_keys = load_keys
        self._now = now
        self._issuer = issuer
        self._demo = demo
        self._keys: dict[str, ECKey] = {}
        self._loaded_at: float | None = None
        self._loading = asyncio.Lock()
        self._remembered: dict[str, tuple[Caller, float, frozenset[Mark]]] = {}

    async def verify(self, authorization: str | None) -> Caller:
        """The caller behind a bearer token; anything else is 401."""
        now = self._now().timestamp()
        revoked = await self._revoked.current()
        if authorization is not None:
            remembered = self._remembered.get(authorization)
            if remembered is not None and now < remembered[1] and revoked.isdisjoint(remembered[2]):
                return remembered[0]
        return await self._verify_afresh(authorization, now)

    async def _verify_afresh(self, authorization: str | None, now: float) -> Caller:
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("A bearer token is needed.", "需要访问令牌。", detail="identity.bearer-token-needed")
        claims = await self._claims(token, now)
        marks = frozenset(
            (kind, str(claims[name])) for kind, name in _REVOCABLE.items() if claims.get(name) is not None
        )
        if not self._revoked.marks.isdisjoint(marks):
            raise unauthorized("The token was revoked.", "访问令牌已被撤销。", detail="identity.token-revoked")
        caller = Caller(
            client=str(claims["client_id"]),
            scopes=frozenset(str(claims.get("scope", "")).split()),
            practitioner=claims.get("fhirUser") or None,
            patient=str(claims.get("patient") or "").removeprefix("Patient/") or None,
            proved_at=_proved_at(claims),
            emergency=claims.get("purpose_of_use") == BREAK_GLASS,
        )
        if authorization is not None:
            self._remember(authorization, caller, min(float(claims["exp"]), now + _TRUST_SECONDS), marks)
        return caller

    async def _claims(self, token: str, now: float) -> dict[str, Any]:
        key = await self._key_of(token, now)
        try:
            claims = jwt.decode(token, key, algorithms=[TOKEN_ALGORITHM]).claims
        except (JoseError, ValueError, TypeError):
            raise _not_valid() from None
        audience = claims.get("aud")
        if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise _not_valid()
        if self._issuer and claims.get("iss") != self._issuer:
            raise _not_valid()
        if self._demo is not None and bool(claims.get("demo")) is not self._demo:
            raise _not_valid()
        expires = claims.get("exp")
        if isinstance(expires, bool) or not isinstance(expires, int | float) or not claims.get("client_id"):
            raise _not_valid()
        if any(_ahead(claims.get(name), now) for name in ("nbf", "iat")):
            raise _not_valid()
        if expires <= now:
            raise unauthorized("The token has expired.", "访问令牌已过期。", detail="identity.token-expired")
        return claims

    async def _key_of(self, token: str, now: float) -> ECKey:
        if len(token) > _LONGEST_TOKEN:
            raise _not_valid()
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError):
            raise _not_valid() from None
        kid = header.get("kid")
        # `alg: none` and every other algorithm end here, before any key is looked at.
        # Ours carry no other headers: no key, address of a key or critical extension of a caller's is ever considered.
        if header.get("alg") != TOKEN_ALGORITHM or not isinstance(kid, str) or not header.keys() <= _HEADERS:
            raise _not_valid()
        if self._worn(kid, now):
            async with self._loading:  # who comes meanwhile waits for the same answer instead of being turned away
                if self._worn(kid, now):
                    await self._refresh(now)
        key = self._keys.get(kid)
        if key is None:
            raise _not_valid()
        return key

    def _worn(self, kid: str, now: float) -> bool:
        """Whether what was loaded last is too old to say anything about this key."""
        if self._loaded_at is None:
            return True
        return abs(now - self._loaded_at) >= (_TRUST_SECONDS if kid in self._keys else _REFRESH_SECONDS)

    async def _refresh(self, now: float) -> None:
        # Only a load that came to its end counts: "not to be had right now" must never turn into "not valid".
        self._keys = {str(jwk["kid"]): ECKey.import_key(jwk) for jwk in await self._load_keys()}
        self._loaded_at = now

    def _remember(self, authorization: str, caller: Caller, until: float, marks: frozenset[Mark]) -> None:
        while len(self._remembered) >= _REMEMBERED:  # oldest first: a dict keeps the order of insertion
            del self._remembered[next(iter(self._remembered))]
        self._remembered.pop(authorization, None)
        self._remembered[authorization] = (caller, until, marks)


def _proved_at(claims: dict[str, Any]) -> float:
    """When the person signed in; the client itself proves who it is with each assertion. Without either: long ago."""
    said = claims.get("auth_time", claims.get("iat"))
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else 0.0


def _ahead(moment: Any, now: float) -> bool:
    """Whether a claim lies in the future, or is no moment at all; clocks of two machines differ by a little."""
    if moment is None:
        return False
    return isinstance(moment, bool) or not isinstance(moment, int | float) or moment > now + _LEEWAY_SECONDS


def _not_valid() -> Exception:
    return unauthorized("The token is not valid here.", "访问令牌在此无效。", detail="identity.token-not-valid")

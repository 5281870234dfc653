"""The token endpoint: SMART Backend Services (`client_credentials` with `private_key_jwt`)."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import asyncpg
import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from slipring.client.token import ASSERTION_TYPE
from slipring.fhir.outcome import unauthorized
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.identity.client_keys import ClientKeys, KeysUnreachable
from slipring.identity.clients import Client, read_client
from slipring.identity.keys import TOKEN_ALGORITHM, newest_token_key, table
from slipring.identity.scopes import BY_NAME_ONLY, outside, well_formed

AUDIENCE = "slipring"
TOKEN_SECONDS = 300
ASSERTION_SECONDS = 300
ASSERTION_ALGORITHMS = ["ES384", "RS384", "ES256"]
ASSERTIONS_FROM = "assertions-from"  # mark of a restored database: the second from which assertions count
_LEEWAY_SECONDS = 5  # clocks of two machines are never quite equal
_LONGEST_ASSERTION = 16_384
_LONGEST_NAME = 64
PEOPLE_GRANTS = ("authorization_code", "refresh_token")
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenRefused(Exception):
    """An OAuth error (RFC 6749 5.2): the reason never repeats what the client sent."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the endpoint answers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=lambda: dict(_NO_STORE))


class PeopleGrants(Protocol):
    """Who grants tokens in the name of people: `slipring.identity.people.exchanging.Exchange`."""

    async def grant(self, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer to an authenticated application."""

    async def revoke(self, client: Client, token: str) -> None:
        """Revoke a refresh token with its family."""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Grants access tokens to registered clients.

    `public_url` is the token address that clients are told; `inner_urls` are others that services use.
    """

    pool: asyncpg.Pool
    schema: str
    issuer: str
    public_url: str
    now: Callable[[], datetime]
    demo: bool = False
    inner_urls: tuple[str, ...] = ()
    people: PeopleGrants | None = None
    keys: ClientKeys = field(default_factory=lambda: ClientKeys(None))

    async def answer(self, form: Mapping[str, str], request_url: str) -> TokenAnswer:
        """The whole exchange: a token, or the OAuth error that says why not."""
        return await self._told(self._grant(form, {self.public_url, *self.inner_urls, request_url}))

    async def revocation(self, form: Mapping[str, str], request_url: str) -> TokenAnswer:
        """The answer to a revocation (RFC 7009); a token nobody knows is as good as revoked."""
        return await self._told(self._revoked(form, {self.public_url, *self.inner_urls, request_url}))

    async def _revoked(self, form: Mapping[str, str], audiences: Collection[str]) -> dict[str, Any]:
        client = await self.application(form, audiences)
        if self.people is not None:
            await self.people.revoke(client, form.get("token", ""))
        return {}

    async def of_hook(self, authorization: str, url: str) -> str:
        """A CDS Hooks client proves itself by a JWT of its own (`iss` its name, `aud` the address called).

        It is turned into one of our tokens with the scopes the client is registered for, and holds once; what is one
        of our tokens already is given back as it is. 401 when it is neither.
        """
        scheme, _, assertion = authorization.partition(" ")
        if scheme.lower() != "bearer" or AUDIENCE in _audiences(assertion.strip()):
            return authorization
        try:
            client = await self._client_behind(assertion.strip(), "iss")
            client = replace(client, jwks=dict(await self.keys.of(client, claimed_key(assertion.strip()))))
            claims = verified_claims(assertion.strip(), client, {url}, self.now(), "iss")
            if client.redirect_uris:
                raise TokenRefused("unauthorized_client", "This client acts for people who sign in, not for itself.")
            await self._use_once(client.id, claims)
            return f"Bearer {await self._token(client, granted('', client))}"
        except (TokenRefused, KeysUnreachable):
            told = ("The token is not valid here.", "访问令牌在此无效。")
            raise unauthorized(*told, detail="identity.token-not-valid") from None

    async def _told(self, doing: Awaitable[dict[str, Any]]) -> TokenAnswer:
        try:
            return TokenAnswer(200, await doing)
        except TokenRefused as refused:
            return TokenAnswer(refused.status, {"error": refused.error, "error_description": refused.description})
        except UNAVAILABLE:
            told = {"error": "temporarily_unavailable", "error_description": "The database is not available right now."}
            return TokenAnswer(503, told, {**_NO_STORE, "Retry-After": "1"})

    async def _grant(self, form: Mapping[str, str], audiences: Collection[str]) -> dict[str, Any]:
        kind = form.get("grant_type", "")
        if self.people is not None and kind in PEOPLE_GRANTS:
            return await self.people.grant(await self.application(form, audiences), form)
        if kind != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "grant_type is not one of grant_types_supported.")
        client, claims = await self._proved(form, audiences)
        if client.redirect_uris:  # its scopes are those of the people who sign in to it, never its own
            raise TokenRefused("unauthorized_client", "This client acts for people who sign in, not for itself.")
        scopes = granted(form.get("scope", ""), client)
        await self._use_once(client.id, claims)
        token = await self._token(client, scopes)
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(scopes),
        }

    async def application(self, form: Mapping[str, str], audiences: Collection[str]) -> Client:
        """The client that people sign in to: by its key, or by its name alone when it can keep no key."""
        if "client_assertion" in form:
            client, claims = await self._proved(form, audiences)
            await self._use_once(client.id, claims)
            if form.get("client_id", client.id) != client.id:
                raise _not_this_client("client_id is not the client of the assertion.")
        else:
            name = form.get("client_id", "")
            known = 0 < len(name) <= _LONGEST_NAME and "\0" not in name
            found = await read_client(self.pool, self.schema, name) if known else None
            if found is None or not found.public:
                raise _not_this_client("The client is not registered, or must prove itself by client_assertion.")
            client = found
        if not client.redirect_uris:
            raise TokenRefused("unauthorized_client", "This client is not one that people sign in to.")
        return client

    async def _proved(self, form: Mapping[str, str], audiences: Collection[str]) -> tuple[Client, dict[str, Any]]:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}.")
        assertion = form.get("client_assertion", "")
        client = await self._client_behind(assertion)
        try:
            client = replace(client, jwks=dict(await self.keys.of(client, claimed_key(assertion))))
        except KeysUnreachable as problem:
            raise _not_this_client(str(problem)) from problem
        return client, verified_claims(assertion, client, audiences, self.now())

    async def _client_behind(self, assertion: str, claim: str = "sub") -> Client:
        client_id = claimed_client(assertion, claim)
        client = await read_client(self.pool, self.schema, client_id)
        if client is None:
            raise _not_this_client("The client is not registered, or its key does not fit.")
        return client

    async def _use_once(self, client_id: str, claims: Mapping[str, Any]) -> None:
        used = table(self.schema, "used_assertion")
        restored = await self.pool.fetchval(
            f"SELECT value FROM {table(self.schema, 'mark')} WHERE name = '{ASSERTIONS_FROM}'"
        )
        if restored and claims.get("iat", claims["exp"] - ASSERTION_SECONDS) < int(restored):
            # Which ones were used after the backup nobody knows any more.
            raise _not_this_client("The assertion is older than a restore of the database: sign a new one.")
        # One row per assertion; the second insert of the same jti finds the first, however close they come.
        first = await self.pool.fetchval(
            f"INSERT INTO {used} (client, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            client_id,
            claims["jti"],
            datetime.fromtimestamp(claims["exp"] + _LEEWAY_SECONDS, UTC),
        )
        if not first:
            raise _not_this_client("This assertion was used before: each needs a jti of its own.")
        await self.pool.execute(f"DELETE FROM {used} WHERE client = $1 AND expires_at < $2", client_id, self.now())

    async def _token(self, client: Client, scopes: list[str]) -> str:
        key = await newest_token_key(self.pool, self.schema)
        issued = int(self.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": client.id,
            "client_id": client.id,
            "scope": " ".join(scopes),
            "iat": issued,
            "exp": issued + TOKEN_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        if client.patient:
            claims["patient"] = client.patient
        if client.practitioner:
            claims["fhirUser"] = client.practitioner
        if self.demo:
            claims["demo"] = True
        return jwt.encode({"alg": TOKEN_ALGORITHM, "kid": key.kid}, claims, key, algorithms=[TOKEN_ALGORITHM])


def _audiences(token: str) -> list[str]:
    """Whom a token says it is for; nothing is proved by it."""
    try:
        told = msgspec.json.decode(jws.extract_compact(token.encode()).payload).get("aud")
    except (JoseError, ValueError, AttributeError, TypeError, msgspec.DecodeError):
        return []
    return [str(one) for one in (told if isinstance(told, list) else [told])]


def claimed_client(assertion: str, claim: str = "sub") -> str:
    """Who the assertion says it is from: only used to find the keys that must then prove it."""
    if not assertion or len(assertion) > _LONGEST_ASSERTION:
        raise TokenRefused("invalid_request", "client_assertion is missing or too long.")
    try:
        claims = msgspec.json.decode(jws.extract_compact(assertion.encode()).payload)
        subject = claims[claim]
    except (JoseError, ValueError, KeyError, TypeError, msgspec.DecodeError):
        raise _not_this_client("client_assertion is not a signed JWT with a sub.") from None
    if not isinstance(subject, str) or not subject or "\0" in subject:
        raise _not_this_client("client_assertion has no usable sub.")
    return subject


def claimed_key(assertion: str) -> str | None:
    """Which key the assertion says it was signed with."""
    kid = jws.extract_compact(assertion.encode()).headers().get("kid")
    return kid if isinstance(kid, str) else None


def verified_claims(
    assertion: str, client: Client, audiences: Collection[str], now: datetime, claim: str = "sub"
) -> dict[str, Any]:
    """The claims of an assertion whose signature, audience, times and jti hold; `claim` names the client beside `iss`."""
    try:
        keys = KeySet.import_key_set(client.jwks)  # type: ignore[arg-type]
        claims = jwt.decode(assertion, _fitting(keys, assertion), algorithms=ASSERTION_ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise _not_this_client("The client is not registered, or its key does not fit.") from None
    if claims.get("iss") != client.id or claims.get(claim) != client.id:
        raise _not_this_client("iss and sub must both be the client's id.")
    told = claims.get("aud")
    if not set(told if isinstance(told, list) else [told]) & set(audiences):
        raise _not_this_client("aud must be the address of this token endpoint.")
    _check_times(claims, now.timestamp())
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256 or "\0" in jti:
        raise _not_this_client("jti is missing or too long.")
    return claims


def _fitting(keys: KeySet, assertion: str) -> KeySet:
    # A client may have several keys without saying which one it used: the library then picks by kid only.
    kid = jws.extract_compact(assertion.encode()).headers().get("kid")
    if kid is None and len(keys.keys) == 1:
        return keys.keys[0]  # type: ignore[return-value]
    return keys


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise _not_this_client("exp is missing.")
    if expires <= now - _LEEWAY_SECONDS:
        raise _not_this_client("The assertion has expired.")
    if expires > now + ASSERTION_SECONDS + _LEEWAY_SECONDS:
        raise _not_this_client("exp may lie at most five minutes ahead.")
    for name in ("nbf", "iat"):
        value = claims.get(name)
        if value is not None and (not isinstance(value, int | float) or value > now + _LEEWAY_SECONDS):
            raise _not_this_client(f"{name} lies in the future.")


def granted(asked: str, client: Client) -> list[str]:
    """The scopes of the token: what was asked, if all of it was registered.

    Who asks for nothing gets what was registered, but for the scopes that must be asked for by name.
    """
    scopes = list(dict.fromkeys(asked.split()))
    if not scopes:
        scopes = [scope for scope in client.scopes if scope not in BY_NAME_ONLY]
    if not all(well_formed(scope) for scope in scopes):
        raise TokenRefused("invalid_scope", "A scope is not one that this server knows.")
    if outside(scopes, client.scopes):
        raise TokenRefused("invalid_scope", "A scope goes beyond what the client is registered for.")
    return scopes


def _not_this_client(description: str) -> TokenRefused:
    return TokenRefused("invalid_client", description, 401)

"""The hospital's OpenID Connect provider, found by discovery: what it says is believed only after every check.

OpenID Connect Core 1.0 3.1.3.7 (id_token), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (iss of the answer).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard
from urllib.parse import quote, urlencode

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from slipring.fhir.outcome import FhirError, busy, refusal

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_KNOWN_SECONDS = 3600.0  # discovery and keys are looked at again after this
_RETRY_SECONDS = 5.0  # at most one look for an unknown key in this time
_LEEWAY_SECONDS = 30  # clocks of two houses
_OLDEST_ANSWER_SECONDS = 600
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where the provider is and who we are there."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    claim: str = ""  # the claim that names an account when none is linked by issuer and subject; '': only linked ones


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way; it travels encrypted in the browser's cookie."""

    state: str
    nonce: str
    verifier: str
    to: str
    again: bool
    begun_at: float


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in there, by the provider's own word."""

    issuer: str
    subject: str
    claims: dict[str, Any]
    auth_time: float | None


class Provider:
    """One provider, looked up when first needed and again when its keys rotate."""

    def __init__(self, settings: ProviderSettings, http: httpx.AsyncClient, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self._http = http
        self._now = now
        self._known: dict[str, Any] = {}
        self._known_at = float("-inf")
        self._keys: list[dict[str, Any]] = []
        self._keys_at = float("-inf")

    async def address(self, begun: Begun, redirect_uri: str) -> str:
        """Where the browser goes to sign in; `again` asks for a fresh proof whatever session is there."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile" if self.settings.claim else "openid",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if begun.again:
            asked |= {"prompt": "login", "max_age": "0"}
        endpoint = str((await self._metadata())["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def person(self, begun: Begun, code: str, redirect_uri: str) -> Person:
        """Who has signed in there; anything that does not hold is refused."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": begun.verifier,
            "client_id": self.settings.client_id,
        }
        known = await self._metadata()
        methods = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth: httpx.Auth = httpx.Auth()  # none: a public client proves itself by PKCE alone
        if self.settings.client_secret and "client_secret_basic" in methods:
            # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
            auth = httpx.BasicAuth(quote(self.settings.client_id, safe=""), quote(self.settings.client_secret, safe=""))
        elif self.settings.client_secret:
            form["client_secret"] = self.settings.client_secret
        try:
            answer = await self._http.post(
                str(known["token_endpoint"]), data=form, auth=auth, headers={"Accept": "application/json"}
            )
            given = answer.json() if answer.status_code == httpx.codes.OK else {}
        except httpx.TransportError:
            raise _away() from None
        except ValueError:
            given = {}
        token = given.get("id_token") if isinstance(given, dict) else None
        if not isinstance(token, str) or len(token) > _LONGEST:
            raise not_believed()
        return await self._believed(token, begun)

    async def _believed(self, token: str, begun: Begun) -> Person:
        claims = await self._verified(token)
        now, ours = self._now().timestamp(), self.settings.client_id
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        issued, expires, subject = claims.get("iat"), claims.get("exp"), claims.get("sub")
        if (
            claims.get("iss") != self.settings.issuer
            or ours not in audiences
            or claims.get("azp", ours) != ours
            or claims.get("nonce") != begun.nonce
            or not _number(expires)
            or expires <= now - _LEEWAY_SECONDS
            or not _number(issued)
            or not now - _OLDEST_ANSWER_SECONDS <= issued <= now + _LEEWAY_SECONDS
            or not isinstance(subject, str)
            or not 0 < len(subject) <= 255
        ):
            raise not_believed()
        since = claims.get("auth_time")
        auth_time = float(since) if _number(since) and since <= now + _LEEWAY_SECONDS else None
        if begun.again and (auth_time is None or auth_time < begun.begun_at - _LEEWAY_SECONDS):
            raise refusal(
                401,
                "login",
                "The hospital's sign-in did not ask you again. Nothing was done.",
                "医院登录系统未重新验证您的身份，未执行任何操作。",
                detail="identity.provider-not-fresh",
            )
        return Person(self.settings.issuer, subject, claims, auth_time)

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError):
            raise not_believed() from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in _ALGORITHMS:  # "none" and keyed hashes end here, before any key is looked at
            raise not_believed()
        for key in await self._fitting(kid):
            try:
                return dict(jwt.decode(token, KeySet.import_key_set({"keys": [key]}).keys[0], [str(algorithm)]).claims)
            except (JoseError, ValueError, TypeError):
                continue
        raise not_believed()

    async def _fitting(self, kid: Any) -> list[dict[str, Any]]:
        """The keys a token may be signed with; the set is loaded again when a key is new to us."""
        now = self._now().timestamp()

        def found() -> list[dict[str, Any]]:
            return [key for key in self._keys if kid is None or key.get("kid", kid) == kid]

        old = now - self._keys_at >= _KNOWN_SECONDS
        if old or (not found() and now - self._keys_at >= _RETRY_SECONDS):
            loaded = await self._json(str((await self._metadata())["jwks_uri"]))
            self._keys = [key for key in loaded.get("keys", []) if isinstance(key, dict) and key.get("kty") != "oct"]
            self._keys_at = now
        return found()

    async def _metadata(self) -> dict[str, Any]:
        now = self._now().timestamp()
        if now - self._known_at >= _KNOWN_SECONDS:
            known = await self._json(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if known.get("issuer") != self.settings.issuer or not all(isinstance(known.get(n), str) for n in needed):
                raise not_believed()
            self._known, self._known_at = known, now
        return self._known

    async def _json(self, address: str) -> dict[str, Any]:
        try:
            answer = await self._http.get(address, headers={"Accept": "application/json"})
            answer.raise_for_status()
            tree = answer.json()
        except (httpx.HTTPError, ValueError):
            raise _away() from None
        return tree if isinstance(tree, dict) else {}


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def not_believed() -> FhirError:
    """403: what came back does not hold; who tries to pass for another learns nothing from it."""
    return refusal(
        403,
        "security",
        "The answer of the hospital's sign-in does not hold. Nothing was done; try again from the sign-in page.",
        "医院登录系统的应答无效，未执行任何操作；请从登录页重试。",
        detail="identity.provider-not-believed",
    )


def _away() -> FhirError:
    return busy(
        "The hospital's sign-in cannot be reached right now; accounts of this department still work.",
        "暂时无法连接医院登录系统；本科室账户仍可登录。",
        retry_after_seconds=5,
        detail="identity.provider-away",
    )

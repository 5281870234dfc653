"""A token by the client's own key: an httpx auth flow that obtains and renews it by itself (`private_key_jwt`, SMART)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from slipring.runtime.clock import utc_now

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# SMART Backend Services asks clients for ES384 or RS384.
CLIENT_ALGORITHM = "ES384"
_RENEW_BEFORE_SECONDS = 30
_ASSERTION_SECONDS = 240


class MissingKeys(Exception):
    """A key that is needed is not where it should be; the message says what to do."""


def read_key_file(path: Path) -> ECKey:
    """Read a client's private key."""
    try:
        return ECKey.import_key(msgspec.json.decode(path.read_bytes()))
    except FileNotFoundError:
        raise MissingKeys(f"There is no key file {path}.") from None
    except (ValueError, msgspec.DecodeError) as problem:
        raise MissingKeys(f"{path} does not hold an EC key as JWK.") from problem


class NoToken(Exception):
    """The server gave no token; the message says what it answered and what may help."""


class BearerFile(httpx.Auth):
    """The token of a person who signed in elsewhere, read from its file each time: it may be renewed there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with whatever token the file holds now."""
        request.headers["Authorization"] = f"Bearer {self._path.read_text('ascii').strip()}"
        yield request


class BackendAuth(httpx.Auth):
    """Bearer tokens by `private_key_jwt`, for sync and async clients; the token comes over the same transport.

    A 401 (keys rotated, server restarted) fetches one fresh token and asks again, once.
    """

    requires_response_body = True

    def __init__(
        self,
        token_url: str,
        client_id: str,
        key: Path | ECKey,
        scope: str = "",
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._key = key
        self._scope = scope
        self._now = now
        self._token = ""
        self._renew_at = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """First a token if none is fresh, then the request; httpx drives this for both kinds of client."""
        if not self._fresh():
            self._take((yield self.token_request()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._take((yield self.token_request()))
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def token_request(self) -> httpx.Request:
        """The request for a token, with an assertion that is good once."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        if self._scope:
            form["scope"] = self._scope
        return httpx.Request("POST", self._token_url, data=form, headers={"Accept": "application/json"})

    def assertion(self) -> str:
        """A signed statement of who asks, for this token address only."""
        key = self._key if isinstance(self._key, ECKey) else read_key_file(self._key)
        algorithm = str(key.alg or CLIENT_ALGORITHM)
        issued = int(self._now().timestamp())
        claims: dict[str, Any] = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._token_url,
            "iat": issued,
            "exp": issued + _ASSERTION_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])

    def _fresh(self) -> bool:
        return bool(self._token) and self._now().timestamp() < self._renew_at

    def _take(self, response: httpx.Response) -> None:
        self._token = token_of(response)
        seconds = int(response.json().get("expires_in", 300))
        self._renew_at = self._now().timestamp() + max(seconds - _RENEW_BEFORE_SECONDS, seconds // 2)


def token_of(response: httpx.Response) -> str:
    """The access token in a token answer, or NoToken with the server's reason."""
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.status_code != httpx.codes.OK or "access_token" not in answer:
        reason = answer.get("error_description") or answer.get("error") or "no reason given"
        raise NoToken(f"{response.request.url} answered {response.status_code}: {reason}")
    return str(answer["access_token"])

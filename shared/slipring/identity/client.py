"""The other side of the token endpoint: an httpx auth flow that obtains and renews a token by itself."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from slipring.identity.clients import DEMO_HIS
from slipring.identity.keys import CLIENT_ALGORITHM, MissingKeys, key_file, read_key_file
from slipring.identity.token import ASSERTION_TYPE
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import data_directory

DEFAULT_URL = "http://127.0.0.1:8100"
_RENEW_BEFORE_SECONDS = 30
_ASSERTION_SECONDS = 240


class NoToken(Exception):
    """The server gave no token; the message says what it answered and what may help."""


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


def server_url(given: str | None = None) -> str:
    """Where the front is: as given, SLIPRING_URL, or this machine."""
    return (given or os.environ.get("SLIPRING_URL") or DEFAULT_URL).rstrip("/")


def client_name(given: str | None = None) -> str:
    """Who asks: as given, SLIPRING_CLIENT, or the demo HIS."""
    return given or os.environ.get("SLIPRING_CLIENT") or DEMO_HIS


def client_key(name: str, data_dir: Path) -> ECKey:
    """The client's key from the data directory; NoToken says what to do when there is none."""
    try:
        return read_key_file(key_file(data_dir, name))
    except MissingKeys as missing:
        raise NoToken(
            f"{missing} Was the server started with another --data-dir? Set SLIPRING_DATA_DIR to the same. Outside demo"
            " mode register a client with `slipring client add NAME --scope ...` and set SLIPRING_CLIENT=NAME."
        ) from None


def backend_auth(
    url: str | None = None, client: str | None = None, scope: str | None = None, data_dir: Path | None = None
) -> BackendAuth:
    """The auth flow of a client whose key lies in the data directory."""
    name = client_name(client)
    key = client_key(name, data_directory(data_dir))
    return BackendAuth(f"{server_url(url)}/auth/token", name, key, scope or "")


def api_client(
    url: str | None = None,
    client: str | None = None,
    scope: str | None = None,
    *,
    data_dir: Path | None = None,
    timeout_seconds: float = 60,
) -> httpx.Client:
    """A client of the front that obtains and renews its token by itself."""
    return httpx.Client(
        base_url=server_url(url),
        auth=backend_auth(url, client, scope, data_dir),
        headers={"Accept": "application/fhir+json"},
        timeout=timeout_seconds,
    )

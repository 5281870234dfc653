"""The public keys of a registered client: those that were registered, or those it publishes at its `jwks_uri`.

SMART Backend Services: a published set is fetched when needed, kept for as long as its answer says, within bounds, and
fetched again for a key it does not hold. The address is somebody else's, so it is asked through the endpoint policy.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from slipring.identity.clients import Client

_FETCH_SECONDS = 5.0
_LARGEST_BYTES = 65_536
_MOST_KEYS = 20
_MOST_CLIENTS = 1000
_KEPT_SECONDS = 300.0  # when the answer does not say for how long
_SHORTEST_SECONDS, _LONGEST_SECONDS = 10.0, 3600.0
_AGAIN_SECONDS = 10.0  # at most one look for a key that is not there, whoever asks
_MAX_AGE = re.compile(r"max-age=(\d{1,9})", re.ASCII)
Jwks = Mapping[str, Any]


class KeysUnreachable(Exception):
    """A client's key set cannot be had; the message names no address."""


@dataclass(slots=True)
class _Held:
    keys: Jwks
    fetched_at: float
    until: float


class ClientKeys:
    """Key sets as they were last fetched."""

    def __init__(self, http: httpx.AsyncClient | None) -> None:
        self._http = http
        self._held: dict[str, _Held] = {}

    async def of(self, client: Client, kid: str | None) -> Jwks:
        """The client's key set; fetched anew when it is old, or lacks this key."""
        if not client.jwks_uri:
            return client.jwks
        now = time.monotonic()
        held = self._held.get(client.jwks_uri)
        lacks = held is not None and kid is not None and kid not in [key.get("kid") for key in held.keys["keys"]]
        if held is None or now >= held.until or (lacks and now - held.fetched_at >= _AGAIN_SECONDS):
            held = await self._fetched(client.jwks_uri, now)
        return held.keys

    async def _fetched(self, address: str, now: float) -> _Held:
        if self._http is None:
            raise KeysUnreachable("This server fetches no key sets.")
        body = bytearray()
        try:
            headers = {"Accept": "application/json"}
            async with self._http.stream("GET", address, headers=headers, timeout=_FETCH_SECONDS) as answer:
                if answer.status_code != 200:
                    raise KeysUnreachable("The client's key set is not served.")
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST_BYTES:
                        raise KeysUnreachable("The client's key set is too large.")
            keys = public_keys(bytes(body))
            told = _MAX_AGE.search(answer.headers.get("cache-control", ""))
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise KeysUnreachable("The client's key set cannot be fetched.") from problem
        kept = min(max(float(told[1]) if told else _KEPT_SECONDS, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        while len(self._held) >= _MOST_CLIENTS:
            del self._held[next(iter(self._held))]
        self._held[address] = _Held(keys, now, now + kept)
        return self._held[address]


def public_keys(text: bytes) -> Jwks:
    """The public keys of a JWK Set; private members are dropped, anything else is refused."""
    try:
        tree = msgspec.json.decode(text)
        keys = [dict(key.as_dict(private=False)) for key in KeySet.import_key_set(tree)]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, msgspec.DecodeError):
        raise KeysUnreachable("The client's key set is not a JWK Set.") from None
    if len(keys) > _MOST_KEYS:
        raise KeysUnreachable("The client's key set is too large.")
    return {"keys": keys}

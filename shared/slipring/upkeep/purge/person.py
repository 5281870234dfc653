"""Who asks for an erasure: a registered client with the administrator's scope that stands for one Practitioner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from joserfc.jwk import ECKey

from slipring.identity.client import BackendAuth
from slipring.identity.clients import read_client
from slipring.identity.token import TokenRefused, verified_claims

SCOPE = "slipring/administer"
_AUDIENCE = "slipring purge"


class NotEntitled(Exception):
    """This person may not propose or confirm; the message says why, in both languages."""


@dataclass(frozen=True, slots=True)
class Person:
    """A client and the Practitioner behind it."""

    client: str
    practitioner: str


async def proved(connection: asyncpg.Connection, front: str, client: str, key: ECKey, now: datetime) -> Person:
    """The person behind a client, once his key has signed and fits what was registered."""
    registered = await read_client(connection, front, client)
    try:
        if registered is None:
            raise TokenRefused("invalid_client", "not registered")
        assertion = BackendAuth(_AUDIENCE, client, key, now=lambda: now).assertion()
        verified_claims(assertion, registered, [_AUDIENCE], now)
    except TokenRefused:
        raise NotEntitled(
            f"{client} is not registered here, or the key is not his. 该客户端未登记，或密钥不符。"
        ) from None
    if SCOPE not in registered.scopes:
        raise NotEntitled(f"{client} lacks the scope {SCOPE}. 该客户端没有 {SCOPE} 权限。")
    if not registered.practitioner:
        raise NotEntitled(
            f"{client} stands for nobody: register it with --practitioner. 该客户端未对应具体人员，请用 --practitioner 登记。"
        )
    return Person(client, registered.practitioner)

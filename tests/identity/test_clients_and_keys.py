"""Clients are registered, change their keys without a gap, and end at once, with every token they still hold."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from slipring.client.token import MissingKeys
from slipring.fhir.outcome import FhirError
from slipring.fhir.store.migrate import migrate
from slipring.identity.client_keys import ClientKeys
from slipring.identity.clients import Client, change_keys, end, read_client, register
from slipring.identity.keys import new_client_key, public_half, public_token_keys, rotate_token_key
from slipring.identity.revoked import Revoked, revoke, revoked_in_database
from slipring.identity.token import ASSERTION_TYPE, TokenAnswer, TokenEndpoint
from slipring.identity.verify import TokenVerifier, keys_from_database
from slipring.runtime.postgres import ensure_running

URL, SCHEMA = "http://127.0.0.1:8100/auth/token", "identity_test"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
async def pool(data_dir: Path) -> AsyncIterator[asyncpg.Pool]:
    dsn = ensure_running(data_dir)
    await migrate(dsn, SCHEMA)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as opened:
        async with opened.acquire() as connection:
            await rotate_token_key(connection, SCHEMA)
        yield opened


@pytest.fixture
def endpoint(pool: asyncpg.Pool) -> TokenEndpoint:
    return TokenEndpoint(pool, SCHEMA, "us", URL, now)


@pytest.fixture
def verifier(pool: asyncpg.Pool) -> TokenVerifier:
    return TokenVerifier(keys_from_database(pool, SCHEMA), now, revoked=revoked_in_database(pool, SCHEMA))


async def registered(pool: asyncpg.Pool, *keys: ECKey, **members: Any) -> str:
    name = f"client-{uuid.uuid4().hex[:8]}"
    known = {"keys": [public_half(key) for key in keys]}
    async with pool.acquire() as connection:
        await register(connection, SCHEMA, Client(name, name, known, ["system/*.cruds", "patient/*.rs"], **members))
    return name


async def asked(endpoint: TokenEndpoint, client: str, key: ECKey, scope: str = "system/*.rs") -> TokenAnswer:
    issued = int(now().timestamp())
    claims = {"iss": client, "sub": client, "aud": URL, "exp": issued + 120, "jti": uuid.uuid4().hex}
    assertion = jwt.encode({"alg": "ES384", "kid": key.kid}, claims, key, algorithms=["ES384"])
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": scope,
    }
    return await endpoint.answer(form, URL)


async def token(endpoint: TokenEndpoint, client: str, key: ECKey, scope: str = "system/*.rs") -> str:
    answer = await asked(endpoint, client, key, scope)
    assert answer.status == 200, answer.body
    return f"Bearer {answer.body['access_token']}"


async def refused_within_seconds(verifier: TokenVerifier, authorization: str) -> str:
    for _ in range(100):
        try:
            await verifier.verify(authorization)
        except FhirError as error:
            assert error.status == 401
            return error.issues[0].detail
        await asyncio.sleep(0.1)
    raise AssertionError("still let in after ten seconds")


async def test_an_ended_client_is_refused_with_the_tokens_it_has(
    pool: asyncpg.Pool, endpoint: TokenEndpoint, verifier: TokenVerifier
) -> None:
    key, other = new_client_key(), new_client_key()
    ending, staying = await registered(pool, key), await registered(pool, other)
    remembered, fresh = await token(endpoint, ending, key), await token(endpoint, ending, key)
    kept = await token(endpoint, staying, other)
    for one in (remembered, kept):
        assert (await verifier.verify(one)).client in (ending, staying)
    async with pool.acquire() as connection:
        assert await end(connection, SCHEMA, ending)
        assert not await end(connection, SCHEMA, ending)
    assert await refused_within_seconds(verifier, remembered) == "identity.token-revoked"
    assert await refused_within_seconds(verifier, fresh) == "identity.token-revoked"
    # A process that starts now knows it with its first request.
    late = TokenVerifier(keys_from_database(pool, SCHEMA), now, revoked=revoked_in_database(pool, SCHEMA))
    with pytest.raises(FhirError):
        await late.verify(fresh)
    assert (await verifier.verify(kept)).client == staying
    answer = await asked(endpoint, ending, key)
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("kind", ["jti", "sid"])
async def test_one_token_or_one_session_is_revoked_alone(pool: asyncpg.Pool, kind: str) -> None:
    from slipring.identity.keys import newest_token_key

    signing = await newest_token_key(pool, SCHEMA)

    def made(value: str) -> str:
        claims = {"iss": "us", "aud": "slipring", "client_id": "his", "scope": "system/*.rs", kind: value}
        claims["exp"] = int(now().timestamp()) + 100  # type: ignore[assignment]
        return "Bearer " + jwt.encode({"alg": "ES256", "kid": signing.kid}, claims, signing, algorithms=["ES256"])

    one, other = made(f"{kind}-1"), made(f"{kind}-2")
    verifier = TokenVerifier(keys_from_database(pool, SCHEMA), now, revoked=revoked_in_database(pool, SCHEMA))
    assert await verifier.verify(one) and await verifier.verify(other)
    async with pool.acquire() as connection:
        await revoke(connection, SCHEMA, kind, f"{kind}-1")  # type: ignore[arg-type]
    await refused_within_seconds(verifier, one)
    assert await verifier.verify(other)


async def test_without_the_list_nobody_is_let_in() -> None:
    async def away() -> list[tuple[str, str]]:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await Revoked(away).current()


async def test_keys_are_changed_without_a_gap(pool: asyncpg.Pool, endpoint: TokenEndpoint) -> None:
    old, new = new_client_key(), new_client_key()
    client = await registered(pool, old)
    async with pool.acquire() as connection:
        await change_keys(connection, SCHEMA, client, lambda held: [*held, public_half(new)])
    assert [(await asked(endpoint, client, key)).status for key in (old, new)] == [200, 200]
    async with pool.acquire() as connection:
        await change_keys(connection, SCHEMA, client, lambda held: [key for key in held if key["kid"] != old.kid])
    assert [(await asked(endpoint, client, key)).status for key in (old, new)] == [401, 200]
    async with pool.acquire() as connection:
        await end(connection, SCHEMA, client)
        with pytest.raises(MissingKeys):
            await change_keys(connection, SCHEMA, client, lambda held: held)
        assert await read_client(connection, SCHEMA, client) is None


async def test_a_token_key_leaves_the_set_with_its_last_token(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        first = (await public_token_keys(connection, SCHEMA))[0]["kid"]
        second = await rotate_token_key(connection, SCHEMA)
        assert [key["kid"] for key in await public_token_keys(connection, SCHEMA)][:2] == [second, first]
        ages = f"UPDATE {SCHEMA}.token_key SET created_at = created_at - interval '400 seconds'"
        await connection.execute(ages)
        assert [key["kid"] for key in await public_token_keys(connection, SCHEMA)] == [second]
        third = await rotate_token_key(connection, SCHEMA)
        assert [key["kid"] for key in await public_token_keys(connection, SCHEMA)] == [third, second]


async def test_a_token_of_a_client_for_one_patient_says_which(
    pool: asyncpg.Pool, endpoint: TokenEndpoint, verifier: TokenVerifier
) -> None:
    key = new_client_key()
    client = await registered(pool, key, patient="o-7")
    caller = await verifier.verify(await token(endpoint, client, key, "patient/*.rs"))
    assert caller.patient == "o-7" and caller.allows("Observation", "r") and caller.bounded


@pytest.mark.parametrize(
    "scope",
    ["system/Patient.sr", "system/Patientt.rs", "system/Observation.rs?x=1", "system/*.rs?category=a", "rubbish"],
)
async def test_a_scope_that_cannot_be_honoured_is_refused_and_never_dropped(
    pool: asyncpg.Pool, endpoint: TokenEndpoint, scope: str
) -> None:
    key = new_client_key()
    client = await registered(pool, key)
    answer = await asked(endpoint, client, key, f"system/*.rs {scope}")
    assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


class Published:
    """A key set at an address, and how often it was asked for."""

    def __init__(self, *keys: ECKey) -> None:
        self.body = self.of(*keys)
        self.asked, self.status, self.headers = 0, 200, {"Cache-Control": "max-age=600"}

    @staticmethod
    def of(*keys: ECKey) -> bytes:
        return json.dumps({"keys": [public_half(key) for key in keys]}).encode()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, content=self.body, headers=self.headers)


async def test_a_published_key_set_is_kept_and_asked_again_for_a_new_key(pool: asyncpg.Pool) -> None:
    old, new = new_client_key(), new_client_key()
    site = Published(old)
    client = await registered(pool, jwks_uri="https://his.example/jwks.json")
    async with httpx.AsyncClient(transport=httpx.MockTransport(site)) as http:
        endpoint = TokenEndpoint(pool, SCHEMA, "us", URL, now, keys=ClientKeys(http))
        for _ in range(3):
            assert (await asked(endpoint, client, old)).status == 200
        assert site.asked == 1
        site.body = Published.of(old, new)
        for _ in range(3):  # a key nobody knows makes no storm: one look in ten seconds
            assert (await asked(endpoint, client, new)).status == 401
        assert site.asked == 1
        endpoint = TokenEndpoint(pool, SCHEMA, "us", URL, now, keys=ClientKeys(http))
        assert (await asked(endpoint, client, new)).status == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (302, b""),
        (200, b"no json"),
        (200, b"[]"),
        (200, b'{"keys":3}'),
        (200, b'{"keys":[' + b" " * 70_000 + b"]}"),
    ],
)
async def test_a_key_set_that_cannot_be_had_is_no_key(pool: asyncpg.Pool, status: int, body: bytes) -> None:
    site = Published()
    site.status, site.body = status, body
    client = await registered(pool, jwks_uri="https://his.example/jwks.json")
    async with httpx.AsyncClient(transport=httpx.MockTransport(site)) as http:
        endpoint = TokenEndpoint(pool, SCHEMA, "us", URL, now, keys=ClientKeys(http))
        answer = await asked(endpoint, client, new_client_key())
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert "his.example" not in json.dumps(dict(answer.body))

"""The token endpoint against each attack it must withstand, on a real PostgreSQL."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from slipring.client.token import MissingKeys, read_key_file
from slipring.fhir.outcome import FhirError
from slipring.fhir.store.migrate import migrate
from slipring.identity.clients import Client, read_client, register, register_with_key_file
from slipring.identity.demo import WrongMode, check_mark
from slipring.identity.first_start import prepare_identity
from slipring.identity.keys import key_file, new_client_key, public_half, rotate_token_key
from slipring.identity.token import ASSERTION_TYPE, ASSERTIONS_FROM, TokenAnswer, TokenEndpoint, granted
from slipring.identity.verify import TokenVerifier, keys_from_database
from slipring.runtime.clock import FakeClock
from slipring.runtime.postgres import ensure_running, stop

URL = "http://127.0.0.1:8100/auth/token"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEY = new_client_key()


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Any:
    data_dir = tmp_path_factory.mktemp("tokens")
    yield ensure_running(data_dir)
    stop(data_dir)


@pytest.fixture
async def schema(dsn: str) -> str:
    await migrate(dsn, "test_front")
    connection = await asyncpg.connect(dsn)
    for table in ("client", "token_key", "used_assertion", "mark", "secret"):
        await connection.execute(f"TRUNCATE test_front.{table}")
    await connection.close()
    return "test_front"


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=8) as pool:
        yield pool


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
async def endpoint(pool: asyncpg.Pool, schema: str, tmp_path: Path, clock: FakeClock) -> TokenEndpoint:
    async with pool.acquire() as connection:
        await prepare_identity(connection, schema, tmp_path, demo=True)
        jwks = {"keys": [public_half(KEY)]}
        scopes = ["system/Patient.rs", "system/Task.cruds"]
        await register(connection, schema, Client("his", "his", jwks, scopes, "Practitioner/o-1"))
    return TokenEndpoint(pool, schema, "http://127.0.0.1:8100", URL, clock.now, demo=True)


def assertion(key: Any = KEY, *, alg: str = "ES384", header: dict[str, Any] | None = None, **claims: Any) -> str:
    issued = int(START.timestamp())
    told = {"iss": "his", "sub": "his", "aud": URL, "iat": issued, "exp": issued + 240, "jti": uuid.uuid4().hex}
    told = {name: value for name, value in {**told, **claims}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid, **(header or {})}, told, key, algorithms=[alg])


def form(signed: str, **members: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
        "scope": "system/Patient.rs",
        **members,
    }


async def ask(endpoint: TokenEndpoint, signed: str, **members: str) -> TokenAnswer:
    return await endpoint.answer(form(signed, **members), URL)


async def test_a_registered_client_gets_a_short_token_that_the_services_accept(
    endpoint: TokenEndpoint, clock: FakeClock
) -> None:
    answer = await ask(endpoint, assertion())
    assert answer.status == 200
    assert answer.body["token_type"] == "bearer"
    assert answer.body["expires_in"] <= 300
    assert answer.headers["Cache-Control"] == "no-store"
    verifier = TokenVerifier(keys_from_database(endpoint.pool, endpoint.schema), clock.now)
    caller = await verifier.verify(f"Bearer {answer.body['access_token']}")
    assert caller.client == "his"
    assert caller.practitioner == "Practitioner/o-1"
    assert caller.allows("Patient", "r")
    assert not caller.allows("Patient", "u")


async def test_an_assertion_from_before_a_restore_is_refused_because_it_may_have_been_used(
    endpoint: TokenEndpoint,
) -> None:
    restored = int(START.timestamp()) - 10
    await endpoint.pool.execute(
        f"INSERT INTO {endpoint.schema}.mark (name, value) VALUES ('{ASSERTIONS_FROM}', '{restored}')"
    )
    older = await ask(endpoint, assertion(iat=restored - 1))
    assert (older.status, older.body["error"]) == (401, "invalid_client")
    assert (await ask(endpoint, assertion(iat=None, exp=restored + 200))).status == 401
    assert (await ask(endpoint, assertion(iat=restored))).status == 200


async def test_the_address_of_the_request_is_an_audience_too(endpoint: TokenEndpoint) -> None:
    other = "https://ct.example/auth/token"
    answer = await endpoint.answer(form(assertion(aud=other)), other)
    assert answer.status == 200


REFUSED: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(START.timestamp()) - 60},
    "without an end": {"exp": None},
    "with an end that is no number": {"exp": "soon"},
    "good for longer than five minutes": {"exp": int(START.timestamp()) + 3600},
    "for another server": {"aud": "https://evil.example/auth/token"},
    "for nobody": {"aud": None},
    "issued by another": {"iss": "someone"},
    "from an unknown client": {"iss": "ghost", "sub": "ghost"},
    "without a jti": {"jti": None},
    "issued in the future": {"iat": int(START.timestamp()) + 3600},
}


@pytest.mark.parametrize("case", REFUSED)
async def test_an_assertion_is_refused_when_it_is(endpoint: TokenEndpoint, case: str) -> None:
    answer = await ask(endpoint, assertion(**REFUSED[case]))
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert "access_token" not in answer.body


async def test_an_assertion_is_good_once(endpoint: TokenEndpoint) -> None:
    signed = assertion()
    assert (await ask(endpoint, signed)).status == 200
    again = await ask(endpoint, signed)
    assert (again.status, again.body["error"]) == (401, "invalid_client")


async def test_of_many_that_replay_at_once_one_wins(endpoint: TokenEndpoint) -> None:
    import asyncio

    signed = assertion()
    answers = await asyncio.gather(*(ask(endpoint, signed) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 15


async def test_alg_none_is_refused(endpoint: TokenEndpoint) -> None:
    _, payload, _ = assertion().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    answer = await ask(endpoint, f"{header}.{payload}.")
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_the_public_key_used_as_a_shared_secret_is_refused(endpoint: TokenEndpoint) -> None:
    secret = OctKey.import_key(json.dumps(public_half(KEY)).encode())
    forged = assertion(secret, alg="HS256", header={"kid": KEY.kid})
    assert (await ask(endpoint, forged)).status == 401


async def test_a_key_of_ones_own_is_refused_even_when_it_comes_in_the_header(endpoint: TokenEndpoint) -> None:
    own = ECKey.generate_key("P-384", {"kid": str(KEY.kid)})
    assert (await ask(endpoint, assertion(own))).status == 401
    assert (await ask(endpoint, assertion(own, header={"jwk": own.as_dict(private=False)}))).status == 401


async def test_a_changed_claim_breaks_the_signature(endpoint: TokenEndpoint) -> None:
    header, _, signature = assertion().split(".")
    _, other, _ = assertion(sub="his", jti="another").split(".")
    assert (await ask(endpoint, f"{header}.{other}.{signature}")).status == 401


@pytest.mark.parametrize(
    "scope",
    [
        "system/*.cruds",
        "system/Patient.cruds",
        "system/Patient.rs system/Consent.r",
        "slipring/import",
        "user/Patient.r",
    ],
)
async def test_more_than_was_registered_is_not_granted(endpoint: TokenEndpoint, scope: str) -> None:
    answer = await ask(endpoint, assertion(), scope=scope)
    assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


def test_who_asks_for_nothing_gets_no_scope_that_changes_what_a_write_means() -> None:
    scopes = ["system/*.cruds", "slipring/import", "slipring/record-late", "slipring/draft-read"]
    client = Client("his", "his", {"keys": []}, scopes, "")
    assert granted("", client) == ["system/*.cruds", "slipring/draft-read"]
    assert granted("slipring/import", client) == ["slipring/import"]


async def test_a_narrower_scope_is_granted_as_asked(endpoint: TokenEndpoint) -> None:
    answer = await ask(endpoint, assertion(), scope="system/Task.r")
    assert answer.body["scope"] == "system/Task.r"


@pytest.mark.parametrize(
    ("member", "value", "error"),
    [
        ("grant_type", "password", "unsupported_grant_type"),
        ("client_assertion_type", "saml", "invalid_request"),
        ("client_assertion", "", "invalid_request"),
        ("client_assertion", "x" * 20_000, "invalid_request"),
    ],
)
async def test_a_form_of_another_kind_is_400(endpoint: TokenEndpoint, member: str, value: str, error: str) -> None:
    answer = await endpoint.answer(form(assertion(), **{member: value}), URL)
    assert (answer.status, answer.body["error"]) == (400, error)


@pytest.mark.parametrize(
    "rubbish", ["a", "a.b.c", "....", "e30.e30.", "e30.eyJzdWIiOjF9.AA", "\u0000.\u0000.\u0000", "é.é.é"]
)
async def test_rubbish_is_an_invalid_client_and_nothing_worse(endpoint: TokenEndpoint, rubbish: str) -> None:
    assert (await ask(endpoint, rubbish)).status == 401


async def test_rs384_is_accepted_as_smart_demands(endpoint: TokenEndpoint, pool: asyncpg.Pool, schema: str) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    jwks = {"keys": [key.as_dict(private=False)]}
    async with pool.acquire() as connection:
        await register(connection, schema, Client("rsa", "rsa", jwks, ["system/Patient.rs"]))
    answer = await ask(endpoint, assertion(key, alg="RS384", iss="rsa", sub="rsa"))
    assert answer.status == 200, answer.body


async def test_after_a_rotation_old_tokens_stand_and_new_ones_verify(endpoint: TokenEndpoint, clock: FakeClock) -> None:
    verifier = TokenVerifier(keys_from_database(endpoint.pool, endpoint.schema), clock.now)
    old = (await ask(endpoint, assertion())).body["access_token"]
    await verifier.verify(f"Bearer {old}")
    async with endpoint.pool.acquire() as connection:
        await rotate_token_key(connection, endpoint.schema)
    clock.advance(timedelta(seconds=2))
    new = (await ask(endpoint, assertion())).body["access_token"]
    for token in (new, old):
        assert (await verifier.verify(f"Bearer {token}")).client == "his"


async def test_the_first_start_of_a_demo_makes_random_keys_that_only_their_owner_reads(
    endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    for name in ("demo-his", "slipring-order", "slipring-critical"):
        path = key_file(tmp_path, name)
        assert path.stat().st_mode & 0o777 == 0o600
        client = await read_client(endpoint.pool, endpoint.schema, name)
        assert client is not None
        assert client.jwks["keys"][0]["x"] == read_key_file(path).as_dict()["x"]
        assert "d" not in client.jwks["keys"][0]


async def test_a_demo_database_and_a_real_one_are_never_mixed_up(pool: asyncpg.Pool, schema: str) -> None:
    async with pool.acquire() as connection:
        await check_mark(connection, True, schema)
        await check_mark(connection, True, schema)
        with pytest.raises(WrongMode, match="--demo"):
            await check_mark(connection, False, schema)


async def test_a_real_database_is_not_served_as_a_demo_and_not_without_keys(
    pool: asyncpg.Pool, schema: str, tmp_path: Path
) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(MissingKeys, match="keys init"):
            await prepare_identity(connection, schema, tmp_path, demo=False)
        with pytest.raises(WrongMode):
            await prepare_identity(connection, schema, tmp_path, demo=True)


async def test_a_key_file_that_is_there_is_kept(pool: asyncpg.Pool, schema: str, tmp_path: Path) -> None:
    async with pool.acquire() as connection:
        path = await register_with_key_file(connection, schema, tmp_path, "ward", ["system/Task.r"])
        first = path.read_bytes()
        assert await register_with_key_file(connection, schema, tmp_path, "ward", ["system/Task.rs"]) == path
    assert path.read_bytes() == first
    client = await read_client(pool, schema, "ward")
    assert client is not None
    assert client.scopes == ["system/Task.rs"]


async def test_a_client_name_cannot_leave_the_key_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingKeys):
        key_file(tmp_path, "../../etc/passwd")


async def test_verifying_waits_for_no_unknown_key_twice_in_a_second(endpoint: TokenEndpoint, clock: FakeClock) -> None:
    looks = 0
    load = keys_from_database(endpoint.pool, endpoint.schema)

    async def counted() -> list[dict[str, Any]]:
        nonlocal looks
        looks += 1
        return await load()

    verifier = TokenVerifier(counted, clock.now)
    stranger = ECKey.generate_key("P-256", auto_kid=True)
    forged = jwt.encode({"alg": "ES256", "kid": stranger.kid}, {"client_id": "his"}, stranger, algorithms=["ES256"])
    for _ in range(20):
        with pytest.raises(FhirError):
            await verifier.verify(f"Bearer {forged}")
    assert looks == 1

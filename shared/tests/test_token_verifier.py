"""Checking access tokens without a database."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from joserfc import jwt
from joserfc.jwk import ECKey
from slipring.fhir.outcome import FhirError
from slipring.identity.client import BackendAuth, NoToken
from slipring.identity.keys import new_client_key, new_token_key, public_half
from slipring.identity.scopes import covers, outside, well_formed
from slipring.identity.verify import TokenVerifier
from slipring.runtime.clock import FakeClock

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEY = new_token_key()


def token(key: ECKey = KEY, alg: str = "ES256", **claims: Any) -> str:
    issued = int(START.timestamp())
    told = {"iss": "us", "aud": "slipring", "client_id": "his", "scope": "system/*.rs", "exp": issued + 300, **claims}
    told = {name: value for name, value in told.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, told, key, algorithms=[alg])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def verifier(clock: FakeClock) -> TokenVerifier:
    async def load() -> list[dict[str, Any]]:
        return [public_half(KEY)]

    return TokenVerifier(load, clock.now, issuer="us")


async def refused(verifier: TokenVerifier, authorization: str | None) -> FhirError:
    with pytest.raises(FhirError) as caught:
        await verifier.verify(authorization)
    assert caught.value.status == 401
    assert "Bearer" in caught.value.headers["WWW-Authenticate"]
    return caught.value


async def test_a_token_names_its_caller(verifier: TokenVerifier) -> None:
    caller = await verifier.verify(f"Bearer {token(fhirUser='Practitioner/o-1')}")
    assert (caller.client, caller.practitioner) == ("his", "Practitioner/o-1")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic aGk6aGk=", "Bearer a.b.c", "Bearer é"])
async def test_no_token_is_no_caller(verifier: TokenVerifier, authorization: str | None) -> None:
    await refused(verifier, authorization)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(START.timestamp())},
        {"exp": None},
        {"exp": True},
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"client_id": None},
    ],
)
async def test_claims_that_do_not_hold_are_refused(verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    await refused(verifier, f"Bearer {token(**claims)}")


async def test_alg_none_is_refused(verifier: TokenVerifier) -> None:
    _, payload, _ = token().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": KEY.kid}).encode()).decode().rstrip("=")
    await refused(verifier, f"Bearer {header}.{payload}.")


async def test_another_key_under_a_known_kid_is_refused(verifier: TokenVerifier) -> None:
    await refused(verifier, f"Bearer {token(ECKey.generate_key('P-256', {'kid': str(KEY.kid)}))}")


async def test_a_remembered_token_still_expires(verifier: TokenVerifier, clock: FakeClock) -> None:
    held = f"Bearer {token()}"
    await verifier.verify(held)
    clock.advance(timedelta(seconds=299))
    await verifier.verify(held)
    clock.advance(timedelta(seconds=1))
    await refused(verifier, held)


async def test_a_key_taken_out_of_the_set_stops_verifying_within_a_minute(clock: FakeClock) -> None:
    published = [public_half(KEY)]

    async def load() -> list[dict[str, Any]]:
        return list(published)

    verifier = TokenVerifier(load, clock.now)
    held = f"Bearer {token()}"
    await verifier.verify(held)
    published.clear()
    clock.advance(timedelta(seconds=61))
    await refused(verifier, held)


async def test_callers_that_come_together_wait_for_one_load_of_the_keys(clock: FakeClock) -> None:
    loads = 0

    async def load() -> list[dict[str, Any]]:
        nonlocal loads
        loads += 1
        await asyncio.sleep(0.01)
        return [public_half(KEY)]

    verifier = TokenVerifier(load, clock.now)
    callers = await asyncio.gather(*(verifier.verify(f"Bearer {token(jti=str(n))}") for n in range(20)))
    assert ({caller.client for caller in callers}, loads) == ({"his"}, 1)


async def test_a_key_set_that_was_not_to_be_had_makes_no_token_invalid(clock: FakeClock) -> None:
    away = True

    async def load() -> list[dict[str, Any]]:
        if away:
            raise ConnectionRefusedError
        return [public_half(KEY)]

    verifier = TokenVerifier(load, clock.now)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await verifier.verify(f"Bearer {token()}")
    away = False
    assert (await verifier.verify(f"Bearer {token()}")).client == "his"


async def test_a_remembered_token_costs_less_than_thirty_microseconds(verifier: TokenVerifier) -> None:
    held = f"Bearer {token()}"
    await verifier.verify(held)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(1000):
            await verifier.verify(held)
        best = min(best, (time.perf_counter() - started) / 1000)
    assert best < 30e-6


def test_extra_scopes_are_no_part_of_all_system_scopes() -> None:
    assert outside(["slipring/import", "may-receive-critical"], ["system/*.cruds"]) == [
        "slipring/import",
        "may-receive-critical",
    ]


@pytest.mark.parametrize(
    ("registered", "asked", "covered"),
    [
        ("system/*.cruds", "system/Task.u", True),
        ("system/*.read", "system/Task.rs", True),
        ("system/Task.rs", "system/Task.read", True),
        ("system/Task.rs", "system/*.rs", False),
        ("system/Task.r", "system/Task.rs", False),
        ("system/Task.cruds", "user/Task.r", False),
        ("slipring/import", "slipring/import", True),
        ("system/*.cruds", "system/Task.", False),
    ],
)
def test_a_registered_scope_covers_what_lies_inside_it(registered: str, asked: str, covered: bool) -> None:
    assert covers(registered, asked) is covered


def test_a_scope_without_letters_is_none_at_all() -> None:
    assert not well_formed("system/Task.")


@respx.mock
async def test_the_client_fetches_a_token_once_and_renews_it_before_it_ends(clock: FakeClock) -> None:
    tokens = respx.post("http://front/auth/token").respond(json={"access_token": "t", "expires_in": 300})
    data = respx.get("http://front/fhir/Task").respond(json={})
    auth = BackendAuth("http://front/auth/token", "his", new_client_key(), "system/Task.rs", now=clock.now)
    async with httpx.AsyncClient(auth=auth) as http:
        for _ in range(3):
            await http.get("http://front/fhir/Task")
        assert (tokens.call_count, data.call_count) == (1, 3)
        assert data.calls.last.request.headers["authorization"] == "Bearer t"
        clock.advance(timedelta(seconds=271))
        await http.get("http://front/fhir/Task")
        assert tokens.call_count == 2


@respx.mock
def test_a_401_is_asked_again_once_with_a_fresh_token() -> None:
    tokens = respx.post("http://front/auth/token").respond(json={"access_token": "t", "expires_in": 300})
    data = respx.get("http://front/fhir/Task").mock(side_effect=[httpx.Response(401), httpx.Response(200)])
    auth = BackendAuth("http://front/auth/token", "his", new_client_key())
    with httpx.Client(auth=auth) as http:
        assert http.get("http://front/fhir/Task").status_code == 200
    assert (tokens.call_count, data.call_count) == (2, 2)


@respx.mock
def test_a_refused_token_says_why() -> None:
    respx.post("http://front/auth/token").respond(401, json={"error": "invalid_client", "error_description": "Why."})
    with (
        httpx.Client(auth=BackendAuth("http://front/auth/token", "his", new_client_key())) as http,
        pytest.raises(NoToken, match=r"401: Why\."),
    ):
        http.get("http://front/fhir/Task")

"""What a provider says is believed only when signature, issuer, audience, times and nonce hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from slipring.fhir.outcome import FhirError
from slipring.identity.people.provider import Begun, Provider, ProviderSettings


def now() -> datetime:
    return datetime.now(UTC)


KEY = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"})
BEGUN = Begun("state", "nonce", "v" * 50, "/", again=False, begun_at=now().timestamp())
ISSUER = "https://login.example"


class Elsewhere:
    """A provider whose answers a test chooses."""

    def __init__(self, token: str, keys: list[Any], issuer: str = ISSUER) -> None:
        self.token, self.keys, self.issuer, self.looked = token, keys, issuer, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                known = {name: f"{ISSUER}/{name}" for name in names}
                return httpx.Response(200, json=known | {"issuer": self.issuer})
            case "/jwks_uri":
                self.looked += 1
                return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})
        return httpx.Response(200, json={"id_token": self.token})


def claims(**changed: Any) -> dict[str, Any]:
    moment = int(now().timestamp())
    plain = {"iss": ISSUER, "aud": "slipring", "sub": "s", "nonce": "nonce", "iat": moment, "exp": moment + 300}
    return {name: value for name, value in (plain | changed).items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "RS256", **changed: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "k1"}, claims(**changed), key, algorithms=[algorithm])


async def person(token: str, elsewhere: Elsewhere | None = None, begun: Begun = BEGUN) -> Any:
    transport = httpx.MockTransport(elsewhere or Elsewhere(token, [KEY]))
    async with httpx.AsyncClient(transport=transport) as http:
        return await Provider(ProviderSettings(ISSUER, "slipring"), http, now).person(begun, "code", "https://x/back")


async def test_an_answer_that_holds_is_believed() -> None:
    found = await person(signed(auth_time=claims()["iat"]))
    assert (found.issuer, found.subject) == (ISSUER, "s")
    assert found.auth_time is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["slipring", "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": True},
        {"iat": None},
        {"iat": int(now().timestamp()) + 3600},
        {"iat": int(now().timestamp()) - 3600},
        {"sub": ""},
        {"sub": None},
    ],
)
async def test_a_claim_that_does_not_hold_is_not_believed(changed: dict[str, Any]) -> None:
    with pytest.raises(FhirError) as refused:
        await person(signed(**changed))
    assert refused.value.status == 403


async def test_a_token_of_another_key_without_one_or_with_a_shared_one_is_not_believed() -> None:
    head, body, _ = signed().split(".")
    shared = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=")
    mark = hmac.new(KEY.as_pem(private=False), f"{shared}.{body}".encode(), hashlib.sha256).digest()
    keyed = f"{shared}.{body}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
    bare = "eyJhbGciOiJub25lIn0." + body + "."
    for token in (signed(OTHER), keyed, bare, f"{head}.{body}.", "x", ""):
        with pytest.raises(FhirError):
            await person(token)


async def test_a_provider_that_names_another_issuer_is_not_believed() -> None:
    with pytest.raises(FhirError):
        await person(signed(), Elsewhere(signed(), [KEY], "https://evil.example"))


async def test_keys_that_rotate_are_looked_up_again_but_not_for_every_knock() -> None:
    new = RSAKey.generate_key(2048, {"kid": "k2", "alg": "RS256", "use": "sig"})
    elsewhere = Elsewhere(signed(), [KEY])
    clock = [now()]
    async with httpx.AsyncClient(transport=httpx.MockTransport(elsewhere)) as http:
        provider = Provider(ProviderSettings(ISSUER, "slipring"), http, lambda: clock[0])
        await provider.person(BEGUN, "code", "https://x/back")
        elsewhere.token = jwt.encode({"alg": "RS256", "kid": "k2"}, claims(), new, algorithms=["RS256"])
        elsewhere.keys = [KEY, new]
        for _ in range(3):
            with pytest.raises(FhirError):
                await provider.person(BEGUN, "code", "https://x/back")
        assert elsewhere.looked == 1
        clock[0] = datetime.fromtimestamp(clock[0].timestamp() + 6, UTC)
        await provider.person(BEGUN, "code", "https://x/back")
        assert elsewhere.looked == 2


async def test_a_provider_that_did_not_ask_again_does_not_count_as_a_fresh_sign_in() -> None:
    again = replace(BEGUN, again=True)
    for stale in (None, int(now().timestamp()) - 3600):
        with pytest.raises(FhirError) as refused:
            await person(signed(auth_time=stale), begun=again)
        assert refused.value.status == 401
    assert (await person(signed(auth_time=int(now().timestamp())), begun=again)).subject == "s"

"""Every way to come in with a token that is none, as a real request at a service and at the front."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from slipring.client.token import read_key_file
from slipring.identity.clients import Client, register
from slipring.identity.keys import key_file, public_half
from slipring.identity.token import ASSERTION_TYPE
from slipring.process import Plan, installed_services, opened
from slipring.runtime.settings import Settings

from tests.support.department import Department

FRONT = "http://127.0.0.1:8100"
PLACES = ("/fhir/Patient", "/order/fhir/Patient", "/critical/fhir/Task", "/fhir/Task?_include=Task:focus")
HOW_MUCH_TOO_LONG = 9000


@dataclass
class Forge:
    """What an attacker and the server hold: the real signing key, its public half, and a key of one's own."""

    key: ECKey
    department: Department
    own: ECKey
    client: httpx.AsyncClient

    @property
    def now(self) -> int:
        """The department's present second."""
        return int(self.department.clock.now().timestamp())

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims as the token endpoint writes them, changed; None takes one out."""
        told = {
            "iss": FRONT, "aud": "slipring", "sub": "demo-his", "client_id": "demo-his", "scope": "system/*.cruds",
            "iat": self.now, "exp": self.now + 300, "jti": uuid.uuid4().hex, "demo": True, **changed,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, *, key: Any = None, alg: str = "ES256", header: Any = None, **changed: Any) -> str:
        """A token signed by the real key, or by another."""
        told = {"alg": alg, "kid": self.key.kid, **(header or {})}
        return jwt.encode(told, self.claims(**changed), key or self.key, algorithms=[alg])

    def raw(self, header: bytes, signature: bytes = b"", **changed: Any) -> str:
        """A token with a header as it stands."""
        parts = (header, json.dumps(self.claims(**changed)).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def really_signed(self, header: bytes) -> str:
        """A token whose header is these bytes, with the real key's signature over them."""
        text = self.raw(header).rpartition(".")[0]
        return text + "." + self.own_signature(text.encode())

    def by_secret(self, secret: bytes, **changed: Any) -> str:
        """HS256 with a public key's text as the secret; no library does that, an attacker does."""
        text = self.raw(_json(alg="HS256", kid=self.key.kid), **changed).rpartition(".")[0]
        mac = hmac.digest(secret, text.encode(), "sha256")
        return text + "." + base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def own_signature(self, text: bytes) -> str:
        """ES256 by the real key."""
        algorithm = jws.JWSRegistry.algorithms["ES256"]
        return base64.urlsafe_b64encode(algorithm.sign(text, self.key)).decode().rstrip("=")


@pytest.fixture(scope="module")
async def forge(department: Department) -> AsyncIterator[Forge]:
    pool = department.house.services["order"].kernel.store.pool
    row = await pool.fetchrow("SELECT private_jwk::text FROM watched_front.token_key ORDER BY created_at DESC LIMIT 1")
    key = ECKey.import_key(json.loads(row["private_jwk"]))
    transport = httpx.ASGITransport(app=department.house)
    async with httpx.AsyncClient(transport=transport, base_url=FRONT, timeout=60) as client:
        yield Forge(key, department, ECKey.generate_key("P-256", {"kid": str(key.kid)}), client)


def _json(**members: Any) -> bytes:
    return json.dumps(members).encode()


ATTACKS: dict[str, Callable[[Forge], str]] = {
    "signed by another key under the real key's name": lambda f: f.signed(key=f.own),
    "a changed claim": lambda f: ".".join(
        [f.signed().split(".")[0], f.signed(scope="slipring/administer").split(".")[1], f.signed().split(".")[2]]
    ),
    "a signature cut off": lambda f: f.signed().rpartition(".")[0] + ".",
    "a signature of zeros": lambda f: f.signed().rpartition(".")[0] + "." + "A" * 86,
    "expired": lambda f: f.signed(exp=f.now - 1),
    "without an end": lambda f: f.signed(exp=None),
    "an end that is no number": lambda f: f.signed(exp="9999999999"),
    "not yet valid": lambda f: f.signed(nbf=f.now + 600),
    "a beginning that is no number": lambda f: f.signed(nbf="soon"),
    "issued in the future": lambda f: f.signed(iat=f.now + 600),
    "for another audience": lambda f: f.signed(aud="https://other.example"),
    "for nobody": lambda f: f.signed(aud=None),
    "issued by another": lambda f: f.signed(iss="https://other.example"),
    "of a real deployment, where this is a demo": lambda f: f.signed(demo=None),
    "without a client": lambda f: f.signed(client_id=None),
    "alg none": lambda f: f.raw(_json(alg="none", kid=f.key.kid)),
    "alg None in other letters": lambda f: f.raw(_json(alg="nOnE", kid=f.key.kid), b"x"),
    "alg as a list": lambda f: f.raw(_json(alg=["ES256"], kid=f.key.kid), b"x"),
    "HS256 by the public key as JWK": lambda f: f.signed(
        key=OctKey.import_key(json.dumps(public_half(f.key)).encode()), alg="HS256"
    ),
    "HS256 by the public key as PEM": lambda f: f.by_secret(f.key.as_pem(private=False)),
    "ES384 by a key of one's own": lambda f: f.signed(key=ECKey.generate_key("P-384"), alg="ES384"),
    "RS256 by a key of one's own": lambda f: f.signed(key=RSAKey.generate_key(2048), alg="RS256"),
    "its key in the header": lambda f: f.signed(key=f.own, header={"jwk": public_half(f.own)}),
    "its key at an address": lambda f: f.signed(key=f.own, header={"jku": "https://evil.example/jwks"}),
    "its certificate at an address": lambda f: f.signed(key=f.own, header={"x5u": "https://evil.example/cert"}),
    "a critical header nobody knows": lambda f: f.really_signed(_json(alg="ES256", kid=f.key.kid, crit=["x"], x=1)),
    "a critical header that is missing": lambda f: f.really_signed(_json(alg="ES256", kid=f.key.kid, crit=["exp"])),
    "critical twice": lambda f: f.really_signed(_json(alg="ES256", kid=f.key.kid, crit=["x", "x"], x=1)),
    "an empty list of critical headers": lambda f: f.really_signed(_json(alg="ES256", kid=f.key.kid, crit=[])),
    "a payload that is not encoded": lambda f: f.really_signed(_json(alg="ES256", kid=f.key.kid, b64=False, crit=["b64"])),
    "a kid that is a path": lambda f: f.signed(header={"kid": "../../../../dev/null"}),
    "a kid that is SQL": lambda f: f.signed(header={"kid": "' OR '1'='1"}),
    "a kid with a NUL": lambda f: f.signed(header={"kid": "a\u0000b"}),
    "a kid that is an object": lambda f: f.raw(_json(alg="ES256", kid={"$ne": ""}), b"x"),
    "no kid": lambda f: f.raw(_json(alg="ES256"), b"x"),
    "too long": lambda f: f.signed(padding="x" * HOW_MUCH_TOO_LONG),
    "an encrypted token": lambda f: "e30.a.b.c.d",
    "a header that is no object": lambda f: f.raw(b"[]", b"x"),
    "a header nested deeply": lambda f: f.raw(b'{"alg":"ES256","kid":' + b"[" * 1500 + b"]" * 1500 + b"}", b"x"),
    "not base64": lambda _: "%%%.%%%.%%%",
    "letters outside ASCII": lambda _: "é.é.é",
    "nothing": lambda _: "",
}  # fmt: skip


async def _asked(forge: Forge, place: str, authorization: bytes) -> httpx.Response:
    return await forge.client.get(place, headers=[(b"Authorization", authorization)])


async def test_the_forge_can_make_a_token_that_is_let_in(forge: Forge) -> None:
    """Otherwise nothing below would show anything."""
    plain = _json(alg="ES256", kid=forge.key.kid)
    for token in (forge.signed(), forge.really_signed(plain), forge.signed(nbf=forge.now, iat=forge.now)):
        for place in PLACES:
            answer = await _asked(forge, place, f"Bearer {token}".encode())
            assert answer.status_code == 200, (place, answer.text)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_is_refused_at_every_place_when_it_is(forge: Forge, attack: str) -> None:
    token = ATTACKS[attack](forge)
    for place in PLACES:
        answer = await _asked(forge, place, f"Bearer {token}".encode("latin-1"))
        assert answer.status_code == 401, (place, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["issue"][0]["code"] == "login"
        if len(token) > 10:
            assert token[:10] not in answer.text


SCHEMES = {
    "twice in one header": b"Bearer %s, Bearer %s",
    "another scheme": b"Basic %s %s",
    "no scheme": b"%s%s",
    "with something behind it": b"Bearer %s x%s",
}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_good_token_in_a_header_that_says_two_things_is_refused(forge: Forge, scheme: str) -> None:
    token = forge.signed().encode()
    for place in PLACES:
        assert (await _asked(forge, place, SCHEMES[scheme] % (token, token))).status_code == 401


async def test_two_authorization_headers_are_refused_whichever_comes_first(forge: Forge) -> None:
    good = (b"Authorization", b"Bearer " + forge.signed().encode())
    bad = (b"Authorization", b"Bearer " + forge.signed(key=forge.own).encode())
    for place in PLACES:
        for headers in ([good, bad], [bad, good], [good, good]):
            assert (await forge.client.get(place, headers=headers)).status_code == 401, place


@pytest.mark.parametrize("name", ["access_token", "token", "Authorization", "bearer"])
async def test_a_token_in_the_address_or_in_a_form_lets_nobody_in(forge: Forge, name: str) -> None:
    token = forge.signed()
    for place in ("/fhir/Patient", "/order/fhir/Patient"):
        for answer in (
            await forge.client.get(place, params={name: token}),
            await forge.client.post(f"{place}/_search", data={name: token}),
        ):
            assert answer.status_code in (400, 401), answer.text  # 400: the front says first that it is no parameter
            assert token[:20] not in answer.text


@pytest.mark.parametrize(
    "scope", [["system/*.cruds"], {"system/*.cruds": True}, 7, True, "system/*", "*", "system/*.cruds\u0000", "系统"]
)
async def test_a_scope_claim_that_is_no_list_of_words_allows_nothing(forge: Forge, scope: Any) -> None:
    token = forge.signed(scope=scope)
    for place in PLACES:
        answer = await _asked(forge, place, f"Bearer {token}".encode())
        assert answer.status_code in (401, 403), (place, answer.text)


# --- the token endpoint: assertions of clients ---------------------------------------------------------------------


@pytest.fixture(scope="module")
async def granted(forge: Forge) -> Callable[..., Any]:
    """Ask for a token with an assertion of the demo HIS, changed."""
    his = read_key_file(key_file(forge.department.data_dir, "demo-his"))

    async def ask(
        client: httpx.AsyncClient | None = None,
        assertion: str = "",
        key: Any = None,
        alg: str = "ES384",
        header: Any = None,
        **changed: Any,
    ) -> httpx.Response:
        told = {
            "iss": "demo-his", "sub": "demo-his", "aud": f"{FRONT}/auth/token", "iat": forge.now, "exp": forge.now + 240,
            "jti": uuid.uuid4().hex, **changed,
        }  # fmt: skip
        told = {name: value for name, value in told.items() if value is not None}
        signed = assertion or jwt.encode(
            {"alg": alg, "kid": his.kid, **(header or {})}, told, key or his, algorithms=[alg]
        )
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
        return await (client or forge.client).post("/auth/token", data=form)

    return ask


ASSERTIONS: dict[str, Callable[[Forge], dict[str, Any]]] = {
    "signed by another key": lambda _: {"key": ECKey.generate_key("P-384")},
    "expired": lambda f: {"exp": f.now - 10},
    "good for ten years": lambda f: {"exp": f.now + 315_360_000},
    "not yet valid": lambda f: {"nbf": f.now + 600},
    "for another endpoint of this house": lambda _: {"aud": f"{FRONT}/fhir"},
    "for the same endpoint of another host": lambda _: {"aud": "https://evil.example/auth/token"},
    "for nobody": lambda _: {"aud": None},
    "of a client nobody knows": lambda _: {"iss": "ghost", "sub": "ghost"},
    "in another client's name": lambda _: {"iss": "slipring-order", "sub": "slipring-order"},
    "without a jti": lambda _: {"jti": None},
    "with a jti that is no text": lambda _: {"jti": 7},
    "by ES256 of a key of one's own": lambda f: {"key": f.own, "alg": "ES256"},
    "by RS384 of a key of one's own": lambda _: {"key": RSAKey.generate_key(2048), "alg": "RS384"},
    "with its key in the header": lambda f: {"key": ECKey.generate_key("P-384"), "header": {"jwk": public_half(f.own)}},
    "with its key at an address": lambda _: {
        "key": ECKey.generate_key("P-384"),
        "header": {"jku": "https://evil.example"},
    },
    "with a critical header nobody knows": lambda f: {
        "assertion": f.raw(_json(alg="ES384", crit=["x"], x=1), b"x" * 96)
    },
}


@pytest.mark.parametrize("case", ASSERTIONS)
async def test_an_assertion_is_refused_when_it_is(forge: Forge, granted: Any, case: str) -> None:
    answer = await granted(**ASSERTIONS[case](forge))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_the_assertions_algorithm_is_not_the_attackers_to_choose(forge: Forge, granted: Any) -> None:
    """The client's public key, which is published, used as a shared secret or by another algorithm."""
    his = read_key_file(key_file(forge.department.data_dir, "demo-his"))
    for secret in (json.dumps(public_half(his)).encode(), his.as_pem(private=False)):
        told = {"iss": "demo-his", "sub": "demo-his", "aud": f"{FRONT}/auth/token", "exp": forge.now + 240}
        assert (await granted(assertion=forge.by_secret(secret, **told))).status_code == 401
    assert (await granted(assertion=forge.raw(_json(alg="none"), sub="demo-his", iss="demo-his"))).status_code == 401
    rsa = RSAKey.generate_key(2048, auto_kid=True)
    pool = forge.department.house.services["order"].kernel.store.pool
    async with pool.acquire() as connection:
        await register(
            connection, "watched_front", Client("rsa", "rsa", {"keys": [public_half(rsa)]}, ["system/Patient.rs"])
        )  # type: ignore[arg-type]
    who = {"iss": "rsa", "sub": "rsa"}
    assert (await granted(key=rsa, alg="RS384", header={"kid": rsa.kid}, **who)).status_code == 200
    for other in ("RS256", "PS384", "RS512"):
        assert (await granted(key=rsa, alg=other, header={"kid": rsa.kid}, **who)).status_code == 401, other


async def test_an_assertion_is_good_once_at_all_replicas_together(forge: Forge, granted: Any) -> None:
    his = read_key_file(key_file(forge.department.data_dir, "demo-his"))
    department = forge.department
    settings = Settings.from_env(
        {"SLIPRING_SCHEMA_PREFIX": "watched_", "SLIPRING_DATA_DIR": str(department.data_dir), "SLIPRING_DEMO": "1"}
    )
    plan = Plan(
        ("front",), settings, True, "127.0.0.1", 8100, department.data_dir, department.clock, installed_services(())
    )
    async with opened(plan) as replica:
        transport = httpx.ASGITransport(app=replica)
        async with httpx.AsyncClient(transport=transport, base_url=FRONT, timeout=60) as second:
            for first, then in ((forge.client, second), (second, forge.client), (second, second)):
                told = {
                    "iss": "demo-his", "sub": "demo-his", "aud": f"{FRONT}/auth/token", "exp": forge.now + 240,
                    "jti": uuid.uuid4().hex,
                }  # fmt: skip
                signed = jwt.encode({"alg": "ES384", "kid": his.kid}, told, his, algorithms=["ES384"])
                assert (await granted(first, signed)).status_code == 200
                again = await granted(then, signed)
                assert (again.status_code, again.json()["error"]) == (401, "invalid_client")

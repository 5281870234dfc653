"""The authorization request of a person's client (RFC 6749 4.1, RFC 7636, SMART App Launch 2.2): read, judged, answered.

What is wrong with the client or its address is told to the person; everything else goes back to the client.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import asyncpg

from slipring.fhir.outcome import refusal
from slipring.identity.clients import Client, read_client
from slipring.identity.keys import table
from slipring.identity.people.figures import Figures
from slipring.identity.people.reach import reach
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Session, hashed

_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_LONGEST = 512


class NotAuthorized(Exception):
    """An error the client is told by redirect (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error, self.description = error, description


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for, as far as it holds."""

    client: Client
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    challenge: str
    nonce: str
    max_age: int | None
    prompt: str

    @property
    def needs_patient(self) -> bool:
        """Whether the person must choose a patient first."""
        return "launch/patient" in self.scopes

    @property
    def origin(self) -> str:
        """Where the answer leads, for the page's policy."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"

    def answered(self, issuer: str, **members: str) -> str:
        """The address with the answer; `iss` says who answers (RFC 9207)."""
        query = urlencode({**members, "state": self.state, "iss": issuer})
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


async def client_of(connection: asyncpg.Pool, schema: str, given: Mapping[str, str]) -> tuple[Client, str]:
    """The registered client and its exact redirect address; what does not fit is told to the person, never redirected."""
    client_id, address = given.get("client_id", ""), given.get("redirect_uri", "")
    known = 0 < len(client_id) <= 64 and "\0" not in client_id
    client = await read_client(connection, schema, client_id) if known else None
    if client is None or address not in client.redirect_uris:
        raise refusal(
            400,
            "security",
            "The application is not registered here, or not with this address. Nothing was sent to it.",
            "该应用未在此登记，或登记的返回地址不同；未向其发送任何内容。",
            detail="identity.app-not-registered",
        )
    return client, address


def wish_of(client: Client, address: str, given: Mapping[str, str], fhir: str) -> Wish:
    """The rest of the request; NotAuthorized for what the client must hear."""
    audience = given.get("aud") or given.get("resource", "")
    if given.get("response_type") != "code":
        raise NotAuthorized("unsupported_response_type", "response_type must be code.")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise NotAuthorized("invalid_request", "PKCE with S256 is needed: code_challenge and code_challenge_method.")
    if not given.get("state"):
        raise NotAuthorized("invalid_request", "state is needed.")
    if max(len(given.get(name, "")) for name in ("state", "nonce")) > _LONGEST:
        raise NotAuthorized("invalid_request", "state and nonce have at most 512 characters.")
    if audience.rstrip("/") != fhir:
        raise NotAuthorized("invalid_target", "aud must be the address of this FHIR server.")
    if "launch" in given:
        raise NotAuthorized("invalid_request", "There is no launch from here: applications start by themselves.")
    prompt, age = given.get("prompt", ""), given.get("max_age", "")
    if prompt not in ("", "login", "none"):
        raise NotAuthorized("invalid_request", "prompt is login or none.")
    if age and not re.fullmatch(r"\d{1,9}", age, re.ASCII):
        raise NotAuthorized("invalid_request", "max_age is a number of seconds.")
    scopes = tuple(dict.fromkeys(given.get("scope", "").split()))
    return Wish(
        client,
        address,
        given["state"],
        scopes,
        given["code_challenge"],
        given.get("nonce", ""),
        int(age) if age else None,
        prompt,
    )


def granted(wish: Wish, session: Session) -> list[str]:
    """What the token will allow; NotAuthorized when that is nothing at all."""
    scopes = reach(
        wish.scopes, wish.client.scopes, the_roles().scopes(session.roles, emergency=session.emergency is not None)
    )
    if "launch/patient" not in scopes:  # without a patient in context they reach nobody
        scopes = [scope for scope in scopes if not scope.startswith("patient/")]
    if not scopes:
        raise NotAuthorized("invalid_scope", "Nothing of what is asked is open to this application and person.")
    return scopes


async def give_code(
    connection: asyncpg.Connection,
    schema: str,
    wish: Wish,
    session: Session,
    scopes: list[str],
    patient: str,
    now: datetime,
    figures: Figures,
) -> str:
    """A code that the client exchanges once, within a minute."""
    codes, code = table(schema, "authorization_code"), secrets.token_urlsafe(32)
    await connection.execute(f"DELETE FROM {codes} WHERE expires_at < $1", now - figures.session_longest)
    await connection.execute(
        f"INSERT INTO {codes} (code_sha256, client, sid, account, redirect_uri, scopes, patient, challenge, nonce,"
        " auth_at, expires_at, family, used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, false)",
        hashed(code),
        wish.client.id,
        session.sid,
        session.account.name,
        wish.redirect_uri,
        scopes,
        patient,
        wish.challenge,
        wish.nonce,
        session.auth_at,
        now + figures.code_lives,
        uuid.uuid4().hex,
    )
    return code

"""`/auth/provider`: signing in at the hospital's provider, and coming back as one of the accounts here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import FhirError, forbidden, refusal
from slipring.identity.keys import table
from slipring.identity.people.accounts import COLUMNS, Account, account_of, folded
from slipring.identity.people.provider import Begun, Person, Provider, not_believed
from slipring.identity.people.recording import record
from slipring.identity.people.sign_in_pages import HOME, SignInPages, request_id_of
from slipring.pages.frame import own_path

_COOKIE = "slipring-provider"
_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ProviderPages:
    """The way to the provider and back."""

    signing_in: SignInPages
    provider: Provider

    def routes(self) -> list[Route]:
        """`/auth/provider` and `/auth/provider/back`."""
        guarded = self.signing_in.pages.guarded
        return [
            Route("/auth/provider", guarded(self.away), methods=["GET"]),
            Route("/auth/provider/back", guarded(self.back), methods=["GET"]),
        ]

    async def away(self, request: Request) -> Response:
        """Off to the provider; what must be known afterwards stays with the browser, encrypted."""
        pages = self.signing_in.pages
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            to=own_path(request.query_params.get("to", ""), HOME),
            again=bool(request.query_params.get("again")),
            begun_at=self.signing_in.people.now().timestamp(),
        )
        response = RedirectResponse(await self.provider.address(begun, self._redirect_uri(request)), 303)
        response.headers["Cache-Control"] = "no-store"
        kept = self._box().encrypt(msgspec.json.encode(asdict(begun))).decode()
        secure = pages.secure(request)
        response.set_cookie(
            _COOKIE, kept, max_age=_SECONDS, path="/auth/provider", httponly=True, samesite="lax", secure=secure
        )
        return response

    async def back(self, request: Request) -> Response:
        """Back with a code: who it is, which account that is here, and a new session."""
        begun = self._begun(request)
        given = request.query_params
        if not hmac.compare_digest(given.get("state", ""), begun.state):
            raise not_believed()
        if given.get("iss", self.provider.settings.issuer) != self.provider.settings.issuer:
            raise not_believed()
        if "error" in given or not given.get("code"):
            en, zh = "The hospital's sign-in was not completed.", "未完成医院登录。"
            raise refusal(401, "login", en, zh, detail="identity.provider-declined")
        person = await self.provider.person(begun, given["code"], self._redirect_uri(request))
        account = await self._account(person, request)
        present = await self.signing_in.session(request)
        if begun.again and present is not None and present.account.name != account.name:
            en, zh = "Somebody else has signed in there.", "登录的不是同一人。"
            raise forbidden(en, zh, detail="identity.provider-somebody-else")
        people = self.signing_in.people
        # Without the moment of the sign-in there it counts as old: a signature will ask again.
        proved_at = (
            datetime.fromtimestamp(person.auth_time, UTC) if person.auth_time else datetime.fromtimestamp(0, UTC)
        )
        cookie = await people.let_in(
            account,
            "provider",
            request_id=request_id_of(request),
            old=self.signing_in.cookie(request),
            proved_at=min(proved_at, people.now()),
        )
        response = self.signing_in.with_session(request, RedirectResponse(begun.to, 303), cookie)
        response.delete_cookie(_COOKIE, path="/auth/provider", httponly=True, samesite="lax")
        return response

    async def _account(self, person: Person, request: Request) -> Account:
        """The account linked to this identity, or named by the claim the settings trust; linked then for good."""
        people = self.signing_in.people
        accounts, now = table(people.schema, "account"), people.now()
        async with people.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                f"SELECT {COLUMNS} FROM {accounts} WHERE issuer = $1 AND subject = $2", person.issuer, person.subject
            )
            name = person.claims.get(self.provider.settings.claim) if self.provider.settings.claim else None
            if row is None and isinstance(name, str) and name and "\0" not in name:
                # Only an account that is linked to nobody yet: a name handed on at the hospital hands on no account.
                row = await connection.fetchrow(
                    f"UPDATE {accounts} SET issuer = $2, subject = $3 WHERE name = $1 AND issuer = '' RETURNING {COLUMNS}",
                    folded(name),
                    person.issuer,
                    person.subject,
                )
                if row is not None:
                    await record(connection, "account-link", row["name"], now, practitioner=row["practitioner"])
            account = account_of(row) if row is not None else None
            usable = account is not None and account.usable(now)
            if not usable:
                await record(
                    connection,
                    "sign-in-refused",
                    account.name if account else "",
                    now,
                    request_id=request_id_of(request),
                    outcome=403,
                    details=("provider",),
                )
        if account is None or not usable:
            raise _no_account()
        return account

    def _begun(self, request: Request) -> Begun:
        try:
            plain = self._box().decrypt(request.cookies.get(_COOKIE, "").encode())
            begun = Begun(**msgspec.json.decode(plain))
        except (InvalidToken, TypeError, ValueError, msgspec.DecodeError):
            raise not_believed() from None
        if not 0 <= self.signing_in.people.now().timestamp() - begun.begun_at <= _SECONDS:
            raise not_believed()
        return begun

    def _redirect_uri(self, request: Request) -> str:
        return f"{self.signing_in.pages.origin(request)}/auth/provider/back"

    def _box(self) -> Fernet:
        key: Any = hashlib.sha256(b"provider|" + self.signing_in.pages.key).digest()
        return Fernet(base64.urlsafe_b64encode(key))


def _no_account() -> FhirError:
    return forbidden(
        "You have signed in at the hospital, but have no account here that may be used. An administrator can help.",
        "您已通过医院登录，但在本系统没有可用账户；请联系管理员。",
        detail="identity.provider-no-account",
    )

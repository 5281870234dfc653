"""Who receives: a person signed in, or one who said who he is by name and PIN for the one case that a link led to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from slipring.department import names
from slipring.department.place import Place
from slipring.department.road import Hand, Tree
from slipring.fhir.caller import grant_of
from slipring.fhir.outcome import FhirError, unauthorized
from slipring.identity.people.accounts import Account, read_account
from slipring.identity.people.minting import PAGES_CLIENT, Mint
from slipring.identity.people.pins import Pass, Pins
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import viewer_of
from slipring.pages.frame import Viewer

LINK_PATH = "/a"
_LONGEST_NUMBER = 64
_COOKIE = "slipring-receiver"
# What a PIN opens of what its account may do: nothing but the case, whom it is about and the acts on it.
_OPENED = ("Task", "Patient", "ServiceRequest", "Practitioner", "PractitionerRole")
# What the pages ask in nobody's name: whether a link is one, before a PIN is looked at; and to end it.
_OWN = ("system/Communication.rs", "system/Task.rus", "system/Practitioner.rs")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who has identified himself; `viewer` is None where he did so by a PIN."""

    account: Account
    hand: Hand
    viewer: Viewer | None


@dataclass(frozen=True, slots=True)
class Door:
    """How receivers come in: `session` says who is signed in with a browser."""

    place: Place
    pins: Pins
    mint: Mint
    session: Callable[[Request], Awaitable[Session | None]]

    async def own_hand(self) -> Hand:
        """The road in nobody's name."""
        return Hand(self.place.road.client, await self.mint.for_itself(_OWN))

    async def signed_in(self, request: Request) -> Receiver | None:
        """Who is signed in, as a receiver."""
        session = await self.session(request)
        if session is None:
            return None
        return Receiver(session.account, await self.place.hand(session), viewer_of(session))

    async def proved(self, name: str, pin: str, link: str) -> tuple[Account | None, int]:
        """Whose account, or whose staff number, and PIN these are; and how many wrong ones the link still stands."""
        try:
            person = await by_staff_number(await self.own_hand(), name.strip()[:_LONGEST_NUMBER])
        except FhirError:  # the staff register cannot be asked: the name of an account still opens
            person = ""
        return await self.pins.proved(name, pin, link, person)

    async def by_pin(self, account: Account) -> Receiver:
        """Who gave name and PIN."""
        token = await self.mint.access_token(
            account, PAGES_CLIENT, _scopes(account), self.place.now(), f"pin-{account.name}"
        )
        return Receiver(account, Hand(self.place.road.client, token), None)

    async def of_case(self, request: Request, case: str) -> Receiver:
        """Who may go on with a case: by the pass that opening its link gave him, else signed in; 401 otherwise."""
        said = request.cookies.get(self._cookie(request), "")
        name = Pass.of(said, self.place.pages.key, case, self.place.now()) if said else ""
        account = await read_account(self.pins.pool, self.pins.schema, name) if name else None
        if account is not None and account.usable(self.place.now()):
            return await self.by_pin(account)
        known = await self.signed_in(request)
        if known is None:
            raise unauthorized(
                "Open the newest message and say who you are. Nothing was done; it rings on.",
                "请打开最新的消息并确认身份。未执行任何操作，系统继续呼叫。",
                detail="alerts.not-identified",
            )
        return known

    def let_in(self, request: Request, response: Response, account: Account, case: str) -> Response:
        """The response with the pass of who opened a case by his PIN."""
        good = self.pins.figures.pin_good
        text = Pass(account.name, case, self.place.now() + good).text(self.place.pages.key)
        secure = self.place.pages.secure(request)
        seconds = int(good.total_seconds())
        response.set_cookie(
            self._cookie(request), text, max_age=seconds, path=LINK_PATH, httponly=True, samesite="lax", secure=secure
        )
        return response

    def _cookie(self, request: Request) -> str:
        return f"__Secure-{_COOKIE}" if self.place.pages.secure(request) else _COOKIE


async def by_staff_number(hand: Hand, number: str) -> str:
    """The one person who has this staff number, by reference; '' for nobody and for several."""
    found = await hand.found("Practitioner", [("identifier", names.plain(number))]) if number else []
    return f"Practitioner/{found[0]['id']}" if len(found) == 1 else ""


def parts_of(parameters: Tree, name: str) -> list[list[Tree]]:
    """The parts of every parameter of a name."""
    return [list(one.get("part", [])) for one in parameters.get("parameter", []) if one["name"] == name]


def _scopes(account: Account) -> list[str]:
    found = []
    for scope in the_roles().scopes(account.roles, emergency=False):
        grant = grant_of(scope)
        if (grant is None and scope == "may-receive-critical") or (grant is not None and grant.type in _OPENED):
            found.append(scope)
    return found

"""What the department owes: certificates, training, checks and licences that are missing, failed, overdue or run out soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.findings import Found, found_in
from slipring.department.names import Pair
from slipring.department.place import HOME, Place
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/people"
KINDS = ("person", "device", "department")
SPANS = (30, 90, 180, 365)  # days ahead that the page offers


@dataclass(frozen=True, slots=True)
class Owed:
    """One line: whose, what, how it stands and until when."""

    kind: str
    words: Pair
    state: str  # failed, missing, overdue, due
    clause: str
    subject: str
    due_on: date | None
    months: int | None
    unconfirmed: bool


@dataclass(frozen=True, slots=True)
class PeopleDuePage:
    """The due list."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/people`."""
        return self.place.routes([(ADDRESS, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`Organization/$due`, the worst first."""
        given = request.query_params
        kind = given.get("of", "person") if given.get("of", "person") in (*KINDS, "all") else "person"
        days = next((span for span in SPANS if str(span) == given.get("within")), SPANS[0])
        answer = await due(await self.place.hand(session), kind, days)
        today = self.place.now().astimezone(self.place.zone).date()
        return self.place.page(request, session, "people_due.html", answer=answer, kind=kind, days=days, today=today)


@dataclass(frozen=True, slots=True)
class Answer:
    """The list, its counts, and what is wrong with head, leads and licences."""

    owed: list[Owed]
    counts: dict[str, int]
    findings: list[Found]


async def due(hand: Hand, kind: str, days: int) -> Answer:
    """Ask what is owed by one kind, or by all."""
    call: list[Tree] = [{"name": "within", "valueInteger": days}]
    if kind != "all":
        call.append({"name": "of", "valueCode": kind})
    said = (await hand.called("Organization/$due", call)).get("parameter", [])
    counts = {one["name"]: one["valueInteger"] for one in said if "valueInteger" in one}
    findings = found_in([one["resource"] for one in said if one["name"] == "issue"])
    return Answer([_owed(one["part"]) for one in said if one["name"] == "item"], counts, findings)


def _owed(parts: list[Tree]) -> Owed:
    told = {part["name"]: next(value for name, value in part.items() if name != "name") for part in parts}
    subject = told.get("subject", {})
    return Owed(
        told["of"],
        (told["zh"], told["en"]),
        told["state"],
        told["clause"],
        str(subject.get("display") or subject.get("reference", "")),
        day_of(str(told.get("due", ""))),
        told.get("interval"),
        told.get("confirmed") is False,
    )

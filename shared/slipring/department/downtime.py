"""For a time without the system: reserve numbers and get the kit (forms and worklist) to print, by `Task/$downtime-kit`."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import HOME, Place, Words, may_search, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/downtime"
_RESERVED = f"{CANONICAL}/sid/reserved-imaging-number"
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class Reserved:
    """A block of numbers that was handed out."""

    at: datetime
    first: str
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class DowntimePages:
    """The kit and what was reserved."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/downtime`: GET tells, POST reserves numbers and gives the kit."""
        return self.place.routes([(ADDRESS, self.shown, ["GET"]), (ADDRESS, self.made, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What the kit is, and the blocks that are reserved."""
        return await self._page(request, session, await self.place.hand(session), "20", {})

    async def made(self, request: Request, session: Session) -> Response:
        """The kit as a file that opens without the system."""
        count = (await self.place.posted(request, session)).get("count", "").strip()
        hand = await self.place.hand(session)
        number = int(count) if count.isascii() and count.isdigit() and len(count) < len("1000") else 0
        call: list[Tree] = [{"name": "count", "valueInteger": number}]
        try:
            answer = await hand.called("Task/$downtime-kit", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, {"count": "count"})
            return await self._page(request, session, hand, count, beside, status=refused.status)
        kit = next(one["valueAttachment"] for one in answer["parameter"] if one["name"] == "kit")
        name = f"downtime-kit-{self.place.now().astimezone(self.place.zone):%Y%m%d-%H%M}.html"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        }
        return Response(base64.b64decode(kit["data"]), headers=headers, media_type=str(kit["contentType"]))

    async def _page(
        self, request: Request, session: Session, hand: Hand, count: str, beside: Words, *, status: int = 200
    ) -> Response:
        blocks = await reserved(hand) if may_search(session, "Task") else []
        return self.place.page(
            request, session, "downtime.html", status=status, count=count, beside=beside, blocks=blocks
        )


async def reserved(hand: Hand) -> list[Reserved]:
    """The newest blocks that were handed out."""
    asked = [("code", "downtime-kit"), ("_sort", "-authored-on"), ("_count", str(_MOST_LISTED))]
    return [one for task in (await hand.sheet("Task", asked)).resources if (one := _reserved(task))]


def _reserved(task: Tree) -> Reserved | None:
    numbers = sorted(str(one["value"]) for one in task.get("identifier", []) if one.get("system") == _RESERVED)
    at = names.moment(task.get("authoredOn"))
    return Reserved(at, numbers[0], numbers[-1], len(numbers)) if numbers and at else None

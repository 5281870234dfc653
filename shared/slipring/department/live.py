"""What an open screen asks by itself: whether we are there, and whether anything changed since it was drawn.

Lists ask again and again. Where seconds count (`urgent`), the same address also answers a stream of events (`following.py`),
and a screen that gets none asks as the others do. Asking keeps nobody signed in (`ASKS_BY_ITSELF`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.following import EVENTS, Followed, Kinds, answered_with
from slipring.department.place import HOME, Place, may_search
from slipring.department.road import Hand
from slipring.identity.people.sessions import Session

CHANGED = "X-Slipring-Changed"
_OF_THE_LISTS: Kinds = {"Task": [("code", "exam")], "Appointment": [], "Device": []}
_FIRST, _LAST = 1900, 3000
_DRAWN_IN = timedelta(seconds=3)  # what changed while a page was being drawn may not be on it


@dataclass(frozen=True, slots=True)
class LivePages:
    """The answer to an open screen; `kinds`: the types that a change is looked for in, and which of each.

    `urgent`: those of them that a screen hears of at once, by a stream.
    """

    place: Place
    address: str = f"{HOME}/live"
    kinds: Kinds = field(default_factory=lambda: _OF_THE_LISTS)
    urgent: Kinds = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """`/department/live`, say; with `since`, it says whether anything of these kinds changed after that."""
        return self.place.routes([(self.address, self.asked, ["GET"])])

    async def asked(self, request: Request, session: Session) -> Response:
        """204: we are here. With `since`: the words of the new age, and in a header whether something changed.

        As `text/event-stream`: both again and again, for a while.
        """
        since = _instant(request.query_params.get("since", ""))
        if since is None:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        hand = await self.place.hand(session)
        if self.urgent and EVENTS in request.headers.get("accept", ""):
            every, urgent = _seen_by(session, self.kinds), _seen_by(session, self.urgent)
            return answered_with(Followed(self.place, hand, request, session, since - _DRAWN_IN, every, urgent))
        changed = await changed_since(hand, session, since, self.kinds)
        shown = self.place.page(request, session, "asof.html")
        shown.headers[CHANGED] = "1" if changed else "0"
        return shown


async def changed_since(hand: Hand, session: Session, since: datetime, kinds: Kinds) -> bool:
    """Whether anything of these kinds, as far as the person's roles open them, changed after a moment."""
    asked = ("_lastUpdated", f"gt{(since - _DRAWN_IN).isoformat(timespec='milliseconds')}")
    ways = [hand.counted(kind, [*way, asked]) for kind, way in _seen_by(session, kinds).items()]
    return any(await asyncio.gather(*ways))


def _seen_by(session: Session, kinds: Kinds) -> Kinds:
    return {kind: way for kind, way in kinds.items() if may_search(session, kind)}


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo and _FIRST < found.year < _LAST else None

"""A stream of events for an open screen: that something changed, as soon as it did, and that all else is as it was.

It tells nothing of anybody: the screen asks for itself anew, in its person's name. So that it outlives neither a sign-out nor
a stop for long it ends by itself, and the screen opens the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from slipring.department.place import Place
from slipring.department.road import Hand
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

Kinds = Mapping[str, Sequence[tuple[str, str]]]
EVENTS = "text/event-stream"
_LASTS_SECONDS = 30.0
_WORD_SECONDS = 2.0  # how long it is silent at most
_LOOK_SECONDS = 5.0  # how often it looks at everything, rung or not
_BREATH_SECONDS = 0.5  # between two looks, however often it rings
_OLDEST = timedelta(minutes=5)
_UNDER_WAY = timedelta(seconds=3)  # what is written now may carry a time a little ago


@dataclass(slots=True)
class Followed:
    """What one open screen follows; `urgent` is looked for at every ring, `every` now and then."""

    place: Place
    hand: Hand
    request: Request
    session: Session
    since: datetime
    every: Kinds
    urgent: Kinds
    _seen: set[tuple[str, str]] = field(default_factory=set)

    async def events(self) -> AsyncIterator[str]:
        """`changed`: draw anew; `as-of` with the words of the new age: nothing changed; a comment: we are here."""
        clock, rings = asyncio.get_running_loop().time, self.place.rings
        ends, looks, rung = clock() + _LASTS_SECONDS, clock(), False
        yield ": here\n\n"
        while clock() < ends and not rings.over:
            times, whole = rings.times, clock() >= looks
            looks = clock() + _LOOK_SECONDS if whole else looks
            try:
                changed = (whole or rung) and await self._changed(whole=whole)
            except FhirError:
                return  # the screen finds out by itself what is the matter
            yield "event: changed\ndata:\n\n" if changed else self._as_of() if whole else ": here\n\n"
            await asyncio.sleep(_BREATH_SECONDS)
            rung = await rings.heard(min(_WORD_SECONDS, max(looks - clock(), 0.01)), after=times)

    async def _changed(self, *, whole: bool) -> bool:
        """Whether a version is there that was not there before; of what is older than a page is left open, it is assumed."""
        now, kinds = self.place.now(), self.every if whole else self.urgent
        if now - self.since > _OLDEST:
            self.since = now - _UNDER_WAY
            return True
        asked = [("_lastUpdated", f"gt{self.since.isoformat(timespec='milliseconds')}"), ("_elements", "id,meta")]
        told = await asyncio.gather(*(self.hand.found(kind, [*way, *asked]) for kind, way in kinds.items()))
        found = {(f"{one['resourceType']}/{one['id']}", one["meta"]["versionId"]) for some in told for one in some}
        new = not found <= self._seen
        self._seen |= found
        if whole:
            self.since = max(self.since, now - _UNDER_WAY)
        return new

    def _as_of(self) -> str:
        words = bytes(self.place.page(self.request, self.session, "asof.html").body).decode()
        return f"event: as-of\ndata: {' '.join(words.split())}\n\n"


def answered_with(followed: Followed) -> Response:
    """The stream as an answer; nothing on its way may keep it back."""
    return StreamingResponse(
        followed.events(), media_type=EVENTS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )

"""What a receiver reads on each channel, in both languages, as it would be sent: no patient is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.alerts.boards import ALERTS, LIVE
from slipring.department.names import Pair
from slipring.department.place import Place
from slipring.department.road import Tree
from slipring.identity.people.sessions import Session

MESSAGES = f"{ALERTS}/messages"


@dataclass(frozen=True, slots=True)
class Text:
    """One text: of which kind (message, drill, retraction, offer, answered), in which language, and how long."""

    kind: str
    language: str
    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel; `limit` is the characters that it carries in one message, 0 for any."""

    code: str
    named: Pair
    limit: int


@dataclass(frozen=True, slots=True)
class Told:
    """The texts, and the channels that carry just these."""

    channels: Sequence[Channel]
    texts: Sequence[Text]

    @property
    def longest(self) -> int:
        """The length of the longest text."""
        return max((one.length for one in self.texts), default=0)


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """The messages of all channels."""

    place: Place

    def routes(self) -> list[Route]:
        """`/alerts/messages`."""
        return self.place.routes([(MESSAGES, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Every channel with its texts."""
        told = await (await self.place.hand(session)).called_if_allowed("Endpoint/$preview")
        same: dict[tuple[Text, ...], list[Channel]] = {}
        for one in told or []:
            channel, texts = _read(one["part"])
            same.setdefault(texts, []).append(channel)
        return self.place.page(
            request,
            session,
            "alerts/messages.html",
            live=LIVE,
            board=ALERTS,
            allowed=told is not None,
            groups=[Told(channels, texts) for texts, channels in same.items()],
        )


def _read(parts: Sequence[Tree]) -> tuple[Channel, tuple[Text, ...]]:
    said = {str(part["name"]): part for part in parts if "part" not in part}
    texts = [{str(each["name"]): each for each in part["part"]} for part in parts if "part" in part]
    channel = Channel(
        str(said["code"]["valueCode"]),
        (str(said["zh"]["valueString"]), str(said["en"]["valueString"])),
        int(said["limit"]["valueInteger"]) if "limit" in said else 0,
    )
    return channel, tuple(
        Text(
            str(one["kind"]["valueCode"]),
            str(one["language"]["valueCode"]),
            str(one["text"]["valueString"]),
            int(one["length"]["valueInteger"]),
        )
        for one in texts
    )

"""One page out of several keepers' pages: merged by the sort key, resumed by an opaque cursor.

The cursor holds per keeper which of its pages is being read and what was given out from there on, so a page that is
fetched again after a write neither repeats nor drops an entry.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from slipring.fhir.outcome import invalid
from slipring.fhir.search.ordering import Key, comes_before
from slipring.front.peers import RawObject, Reply, below_base, decoded, raw_bundle

Kind = Literal["searchset", "history", "everything"]


class Position(msgspec.Struct):
    """How far one keeper was read; `target` None: to its end. `seen`: short digests of what was given out."""

    service: str
    target: str | None
    method: str = "GET"
    body: str = ""
    seen: list[str] = []


class Cursor(msgspec.Struct):
    """Everything the next page needs; `path` is where the page link leads, `includes` are the front's own to follow."""

    kind: Kind
    path: str
    type: str
    sort: str
    count: int
    total: int | None
    positions: list[Position]
    includes: list[tuple[str, str]] = []
    summary: str = ""
    elements: list[str] = []

    def sealed(self, key: bytes) -> str:
        """The cursor as it stands in a link: it may hold search values, so it is encrypted."""
        return Fernet(key).encrypt(msgspec.json.encode(self)).decode().rstrip("=")


def opened(text: str, key: bytes, path: str) -> Cursor:
    """The cursor behind a link of ours; anything else is 400."""
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = msgspec.json.decode(Fernet(key).decrypt(padded.encode()), type=Cursor)
    except (InvalidToken, msgspec.DecodeError, ValueError):
        raise _no_cursor() from None
    if cursor.path != path:
        raise _no_cursor()
    return cursor


def _no_cursor() -> Exception:
    return invalid(
        "This page link is not one of ours.", "该分页链接无效。", at="http._position", detail="front.page-link-not-ours"
    )


@dataclass(slots=True)
class Found:
    """One match, with the key it is merged by."""

    entry: RawObject
    digest: str
    key: Key


@dataclass(slots=True)
class Page:
    """One page of one keeper."""

    matches: list[Found]
    others: list[RawObject]  # included resources and outcomes
    next: str | None
    total: int | None


@dataclass(slots=True)
class Stream:
    """One keeper while a page is put together."""

    position: Position
    page: Page
    waiting: list[Found]
    taken: list[str] = field(default_factory=list)


Fetch = Callable[[Position], Awaitable[Page]]


class KeeperRefused(Exception):
    """A keeper answered something that is no page: it is passed on as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def read_page(reply: Reply, key_of: Callable[[RawObject], Key]) -> Page:
    """A keeper's answer as a page."""
    if reply.status != 200:
        raise KeeperRefused(reply)
    bundle, entries = raw_bundle(reply.body)
    matches, others = [], []
    for entry in entries:
        search: Any = decoded(entry["search"]) if "search" in entry else {}
        if search.get("mode", "match") == "match":
            matches.append(Found(entry, digest_of(entry), key_of(entry)))
        else:
            others.append(entry)
    links: Any = decoded(bundle["link"]) if "link" in bundle else []
    following = next((link["url"] for link in links if link.get("relation") == "next"), None)
    total: Any = decoded(bundle["total"]) if "total" in bundle else None
    return Page(matches, others, below_base(following) if following else None, total)


@dataclass(slots=True)
class Merged:
    """One page of the front: matches, what was included with them, where each keeper stands, the sum of totals."""

    matches: list[RawObject]
    others: list[RawObject]
    positions: list[Position]
    total: int | None


async def merge(cursor: Cursor, fetch: Fetch, descending: Sequence[bool], *, first: bool) -> Merged:
    """The next `count` matches of all keepers; `descending` says so for each value of their keys.

    Sorted, and on the first page (for the totals), all keepers are asked; else one after the other.
    """
    unread = [position for position in cursor.positions if position.target is not None]
    at_once = len(unread) if first or descending else 1
    streams = list(await asyncio.gather(*(_started(position, fetch) for position in unread[:at_once])))
    unread = unread[at_once:]
    totals = [stream.page.total for stream in streams]
    others = [entry for stream in streams for entry in stream.page.others]
    taken: list[RawObject] = []
    while len(taken) < cursor.count:
        for stream in streams:
            while not stream.waiting and stream.page.next is not None:
                others += await _turn(stream, fetch)
        ready = [stream for stream in streams if stream.waiting]
        if ready:
            chosen = _first(ready, descending)
            found = chosen.waiting.pop(0)
            chosen.taken.append(found.digest)
            taken.append(found.entry)
        elif unread:
            streams.append(await _started(unread.pop(0), fetch))
            others += streams[-1].page.others
        else:
            break
    total = sum(number for number in totals if number is not None) if None not in totals else None
    standing = [_standing(stream) for stream in streams]
    return Merged(taken, distinct(others), [*standing, *unread], total if first else cursor.total)


async def _started(position: Position, fetch: Fetch) -> Stream:
    page = await fetch(position)
    seen = set(position.seen)
    return Stream(position, page, [found for found in page.matches if found.digest not in seen])


async def _turn(stream: Stream, fetch: Fetch) -> list[RawObject]:
    """Go on to the keeper's next page.

    What was given out before and does not stand on the page left behind was pushed further by new entries: it is
    remembered, so that it is not given out again where it stands now.
    """
    passed = {found.digest for found in stream.page.matches}
    pushed = [digest for digest in stream.position.seen if digest not in passed]
    stream.position = Position(stream.position.service, stream.page.next, seen=pushed)
    stream.page = await fetch(stream.position)
    stream.waiting = [found for found in stream.page.matches if found.digest not in set(pushed)]
    stream.taken = []
    return stream.page.others


def _standing(stream: Stream) -> Position:
    position = stream.position
    if stream.waiting:
        seen = [*position.seen, *stream.taken]
        return Position(position.service, position.target, position.method, position.body, seen)
    passed = {found.digest for found in stream.page.matches}
    pushed = [digest for digest in position.seen if digest not in passed]
    return Position(position.service, stream.page.next, seen=pushed)


def _first(streams: Sequence[Stream], descending: Sequence[bool]) -> Stream:
    best = streams[0]
    for stream in streams[1:]:  # on a tie the earlier keeper goes first
        if comes_before(stream.waiting[0].key, best.waiting[0].key, descending):
            best = stream
    return best


def digest_of(entry: RawObject) -> str:
    """A short name for an entry: its address and, in a history, which version; without an address its content."""
    names = ("fullUrl", "response") if "fullUrl" in entry else ("resource",)
    text = b"".join(bytes(entry[name]) for name in names if name in entry)
    return base64.b64encode(hashlib.blake2b(text, digest_size=9).digest()).decode()


def distinct(entries: Sequence[RawObject]) -> list[RawObject]:
    """Each entry once, in the order of first appearance."""
    found: dict[str, RawObject] = {}
    for entry in entries:
        found.setdefault(digest_of(entry), entry)
    return list(found.values())

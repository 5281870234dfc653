"""One page of a shared type out of several keepers' pages: merged by the sort key, resumed by an opaque cursor.

The cursor holds per keeper which of its pages is being read and what of that page was given out already, so a
page that is fetched again after a write neither repeats nor drops an entry.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from slipring.fhir.outcome import invalid
from slipring.front.owners import values_at
from slipring.front.peers import RawObject, Reply, below_base, decoded, raw_bundle

HISTORY_SORT = "-_lastModified"
SortKey = tuple[tuple[str, bool], ...]  # value and whether it is there, per sort parameter


class Position(msgspec.Struct):
    """How far one keeper was read; `target` None: to its end. `seen`: short digests of what was given out."""

    service: str
    target: str | None
    method: str = "GET"
    body: str = ""
    seen: list[str] = []


class Cursor(msgspec.Struct):
    """Everything the next page needs."""

    type: str
    sort: str
    count: int
    total: int | None
    positions: list[Position]

    def sealed(self, key: bytes) -> str:
        """The cursor as it stands in a link: it may hold search values, so it is encrypted."""
        return Fernet(key).encrypt(msgspec.json.encode(self)).decode().rstrip("=")


def opened(text: str, key: bytes, resource_type: str) -> Cursor:
    """The cursor behind a link of ours; anything else is 400."""
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = msgspec.json.decode(Fernet(key).decrypt(padded.encode()), type=Cursor)
    except (InvalidToken, msgspec.DecodeError, ValueError):
        raise _no_cursor() from None
    if cursor.type != resource_type:
        raise _no_cursor()
    return cursor


def _no_cursor() -> Exception:
    return invalid("This page link is not one of ours.", "该分页链接无效。")


@dataclass(slots=True)
class Found:
    """One match, with the key it is merged by."""

    entry: RawObject
    digest: str
    key: SortKey


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


def read_page(reply: Reply, sort: str, paths: Any) -> Page:
    """A keeper's answer as a page."""
    if reply.status != 200:
        raise KeeperRefused(reply)
    bundle, entries = raw_bundle(reply.body)
    matches, others = [], []
    for entry in entries:
        search: Any = decoded(entry["search"]) if "search" in entry else {}
        if search.get("mode", "match") == "match":
            matches.append(Found(entry, _digest(entry), _sort_key(entry, sort, paths)))
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


async def merge(cursor: Cursor, fetch: Fetch, *, first: bool) -> Merged:
    """The next `count` matches of all keepers.

    Sorted, and on the first page (for the totals), all keepers are asked; else one after the other.
    """
    unread = [position for position in cursor.positions if position.target is not None]
    at_once = len(unread) if first or cursor.sort else 1
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
            chosen = _first(ready, cursor.sort)
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
    return Merged(taken, _distinct(others), [*standing, *unread], total if first else cursor.total)


async def _started(position: Position, fetch: Fetch) -> Stream:
    page = await fetch(position)
    return Stream(position, page, [found for found in page.matches if found.digest not in set(position.seen)])


async def _turn(stream: Stream, fetch: Fetch) -> list[RawObject]:
    stream.position = Position(stream.position.service, stream.page.next)
    stream.page = await fetch(stream.position)
    stream.waiting = list(stream.page.matches)
    stream.taken = []
    return stream.page.others


def _standing(stream: Stream) -> Position:
    position = stream.position
    if stream.waiting:
        seen = [*position.seen, *stream.taken]
        return Position(position.service, position.target, position.method, position.body, seen)
    return Position(position.service, stream.page.next)


def _first(streams: Sequence[Stream], sort: str) -> Stream:
    best = streams[0]
    for stream in streams[1:]:  # on a tie the earlier keeper goes first
        if _before(stream.waiting[0].key, best.waiting[0].key, sort):
            best = stream
    return best


def _before(one: SortKey, other: SortKey, sort: str) -> bool:
    for name, (value, present), (against, there) in zip(sort.split(",") if sort else (), one, other, strict=True):
        if present != there:
            return present  # what has no value comes last, up or down
        if value != against:
            return (value > against) if name.startswith("-") else (value < against)
    return False


def _sort_key(entry: RawObject, sort: str, paths: Any) -> SortKey:
    if not sort:
        return ()
    if sort == HISTORY_SORT:
        tree: Any = decoded(entry["response"]) if "response" in entry else {}
        return (_comparable(tree.get("lastModified")),)
    resource = decoded(entry["resource"]) if "resource" in entry else {}
    return tuple(
        _comparable(next((value for path in paths[name.lstrip("-")] for value in values_at(resource, path)), None))
        for name in sort.split(",")
    )


def _comparable(value: Any) -> tuple[str, bool]:
    """A value as text that sorts; dates of every precision and zone as their first instant in UTC.

    >>> _comparable("2026-01-01T08:00:00+08:00")[0] == _comparable("2026")[0]
    True
    """
    if value is None:
        return ("", False)
    text = str(value)
    if not text[:4].isdigit():
        return (text, True)
    padded = text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        return (text, True)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment.astimezone(UTC).isoformat("T", "microseconds"), True)


def _digest(entry: RawObject) -> str:
    text = b"".join(bytes(entry[name]) for name in ("fullUrl", "response") if name in entry)
    return base64.b64encode(hashlib.blake2b(text, digest_size=6).digest()).decode()


def _distinct(entries: Sequence[RawObject]) -> list[RawObject]:
    return list({_digest(entry): entry for entry in entries}.values())

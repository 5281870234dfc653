"""Searches and histories of types with several keepers: ask all, answer one page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from slipring.fhir.outcome import invalid
from slipring.front.exchange import Exchange
from slipring.front.merging import HISTORY_SORT, Cursor, KeeperRefused, Page, Position, merge, opened, read_page
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, RawObject, Reply, entry_at_front

CURSOR_PARAMETER = "_position"
_DEFAULT_COUNT = 20
_LARGEST_COUNT = 500
_FORM = "application/x-www-form-urlencoded"


async def search_many(exchange: Exchange, kept_type: str, owners: Owners, cursor_key: bytes) -> Reply:
    """One page of a search over all keepers of a type."""
    asked = _asked(exchange)
    if resumed := _value(asked, CURSOR_PARAMETER):
        return await _page(
            exchange, opened(resumed, cursor_key, kept_type), owners, cursor_key, "searchset", first=False
        )
    sort = _checked_sort(_value(asked, "_sort"), kept_type, owners)
    count = _count(_value(asked, "_count"))
    if _value(asked, "_summary") == "count":
        count = 0
    cursor = Cursor(kept_type, sort, count, None, _starts(exchange, kept_type, asked, owners))
    return await _page(exchange, cursor, owners, cursor_key, "searchset", first=True)


async def history_of_many(exchange: Exchange, kept_type: str, owners: Owners, cursor_key: bytes) -> Reply:
    """One page of a type's history over all its keepers, newest first."""
    asked = _asked(exchange)
    if resumed := _value(asked, CURSOR_PARAMETER):
        return await _page(exchange, opened(resumed, cursor_key, kept_type), owners, cursor_key, "history", first=False)
    positions = [Position(keeper, exchange.target) for keeper in owners.keepers_of(kept_type)]
    cursor = Cursor(kept_type, HISTORY_SORT, _count(_value(asked, "_count")), None, positions)
    return await _page(exchange, cursor, owners, cursor_key, "history", first=True)


def _asked(exchange: Exchange) -> list[tuple[str, str]]:
    pairs = parse_qsl(exchange.query, keep_blank_values=True)
    if exchange.method == "POST":
        if not exchange.headers.get("content-type", _FORM).startswith(_FORM):
            raise invalid("_search takes a form.", "_search 只接受表单。")
        pairs += parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True)
    return pairs


def _value(pairs: list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in pairs if key == name), "")


def _count(text: str) -> int:
    if not text:
        return _DEFAULT_COUNT
    if not text.isascii() or not text.isdigit():
        raise invalid("_count is not a whole number.", "_count 不是整数。", at="_count")
    return min(int(text[:9]), _LARGEST_COUNT)


def _checked_sort(sort: str, kept_type: str, owners: Owners) -> str:
    possible = owners.sort_paths(kept_type)
    if all(name.removeprefix("-") in possible for name in sort.split(",") if sort):
        return sort
    names = ", ".join(sorted(possible))
    raise invalid(
        f"{kept_type} has several keepers and can be sorted by: {names}.",
        f"{kept_type} 由多个服务保存，可用以下参数排序：{names}。",
        at="_sort",
    )


def _starts(exchange: Exchange, kept_type: str, asked: list[tuple[str, str]], owners: Owners) -> list[Position]:
    keepers = owners.keepers_of(kept_type)
    pairs = [(name, value) for name, value in asked if name != "_count"]
    # Each keeper gives pages as large as ours; no larger than what may have to be read again.
    if _value(asked, "_summary") != "count":
        pairs.append(("_count", str(_count(_value(asked, "_count")))))
    query = urlencode(pairs)
    if exchange.method == "POST":
        return [Position(keeper, f"{kept_type}/_search", "POST", query) for keeper in keepers]
    return [Position(keeper, f"{kept_type}?{query}") for keeper in keepers]


async def _page(
    exchange: Exchange, cursor: Cursor, owners: Owners, cursor_key: bytes, kind: str, *, first: bool
) -> Reply:
    paths = owners.sort_paths(cursor.type)
    unknown: list[Reply] = []

    async def fetch(position: Position) -> Page:
        headers = {**exchange.headers}
        headers.pop("content-type", None)
        if position.method == "POST":
            headers["content-type"] = _FORM
        ask = Ask(position.method, position.target or "", headers, position.body.encode())
        reply = await exchange.peers.ask(position.service, ask)
        if reply.status == 404:  # a keeper in the table that does not keep the type yet has nothing to give
            unknown.append(reply)
            return Page([], [], None, 0)
        return read_page(reply, cursor.sort, paths)

    try:
        merged = await merge(cursor, fetch, first=first)
    except KeeperRefused as refused:
        return refused.reply
    if first and len(unknown) == len(cursor.positions):
        return unknown[0]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if merged.total is not None:
        bundle["total"] = merged.total
    left = [position for position in merged.positions if position.target is not None]
    following = Cursor(cursor.type, cursor.sort, cursor.count, merged.total, left)
    bundle["link"] = _links(exchange, following, cursor_key, kind)
    if entries := _entries(exchange, merged.matches, merged.others):
        bundle["entry"] = entries
    headers = {"content-type": FHIR_JSON, "x-request-id": exchange.headers["x-request-id"]}
    return Reply(200, headers, msgspec.json.encode(bundle))


def _links(exchange: Exchange, following: Cursor, cursor_key: bytes, kind: str) -> list[dict[str, str]]:
    # What was searched by POST _search stays out of addresses.
    itself = exchange.target if exchange.method != "POST" else f"{following.type}/_search"
    links = [{"relation": "self", "url": f"{exchange.base}/{itself}"}]
    if following.positions and following.count:
        path = following.type if kind == "searchset" else f"{following.type}/_history"
        sealed = following.sealed(cursor_key)
        links.append({"relation": "next", "url": f"{exchange.base}/{path}?{CURSOR_PARAMETER}={sealed}"})
    return links


def _entries(exchange: Exchange, matches: list[RawObject], others: list[RawObject]) -> list[RawObject]:
    return [entry_at_front(entry, exchange.base) for entry in [*matches, *others]]

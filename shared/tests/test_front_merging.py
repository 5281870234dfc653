"""Pages of several keepers as one: nothing twice, nothing lost, whatever is written between two pages."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from slipring.fhir.search.ordering import comes_before
from slipring.front.merging import Cursor, Found, Page, Position, merge
from slipring.front.peers import RawObject, raw

Item = tuple[int | None, int]  # sort value and number


@dataclass
class Keeper:
    """A service as the front sees it: keyset pages in the order of the sort, `after` in its next links."""

    name: str
    descending: bool
    held: set[Item] = field(default_factory=set)

    def ordered(self) -> list[Item]:
        valued = sorted((i for i in self.held if i[0] is not None), reverse=self.descending)
        return valued + sorted((i for i in self.held if i[0] is None), reverse=self.descending)

    def page(self, position: Position, size: int, sorted_: bool) -> Page:
        after = msgspec.json.decode(position.target or "null", type=Item | None)
        items = self.ordered() if after is None else [i for i in self.ordered() if self._behind(i, after)]
        taken = items[:size]
        following = msgspec.json.encode(taken[-1]).decode() if len(items) > size else None
        matches = [
            Found(_entry(self.name, item), f"{self.name}{item[1]}", (item[0],) if sorted_ else ()) for item in taken
        ]
        return Page(matches, [], following, None)

    def _behind(self, item: Item, after: Item) -> bool:
        if item[0] == after[0]:
            return item[1] < after[1] if self.descending else item[1] > after[1]
        return comes_before((after[0],), (item[0],), [self.descending])


def _entry(name: str, item: Item) -> RawObject:
    return {"fullUrl": raw(f"{name}/{item[1]}"), "resource": raw(list(item))}


async def all_pages(
    keepers: dict[str, Keeper], size: int, sorted_: bool, between: list[list[tuple[str, str, int]]]
) -> list[Item]:
    """Read page after page; before each but the first some writes happen."""
    descending = [next(iter(keepers.values())).descending] if sorted_ else []
    cursor = Cursor(
        "searchset", "T", "T", "x" if sorted_ else "", size, None, [Position(name, "null") for name in keepers]
    )
    numbers = itertools.count(10_000)
    given_out: list[Item] = []
    writes = iter(between)
    for turn in range(2000):

        async def fetch(position: Position) -> Page:
            return keepers[position.service].page(position, size, sorted_)

        merged = await merge(cursor, fetch, descending, first=turn == 0)
        given_out += [msgspec.json.decode(entry["resource"], type=Item) for entry in merged.matches]
        left = [position for position in merged.positions if position.target is not None]
        if not left:
            return given_out
        cursor = msgspec.structs.replace(cursor, positions=left)
        for name, act, value in next(writes, []):
            held = keepers[name].held
            if act == "write":
                held.add((value, next(numbers)))
            elif held:
                held.discard(sorted(held, key=str)[value % len(held)])
    raise AssertionError("the pages never end")


VALUES = st.one_of(st.none(), st.integers(0, 6))
NAMES = st.sampled_from(["order", "consent", "report"])
WRITES = st.lists(st.tuples(NAMES, st.sampled_from(["write", "write", "delete"]), st.integers(0, 6)), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=40),
    st.integers(1, 7),
    st.booleans(),
    st.booleans(),
    st.lists(WRITES, max_size=12),
)
def test_the_union_of_pages_is_what_the_keepers_held_all_along(
    items: list[tuple[str, int | None]], size: int, down: bool, sorted_: bool, between: list[list[tuple[str, str, int]]]
) -> None:
    keepers = {name: Keeper(name, down) for name in ("order", "consent", "report")}
    for number, (name, value) in enumerate(items):
        keepers[name].held.add((value, number))
    at_first = {item for keeper in keepers.values() for item in keeper.held}
    given_out = asyncio.run(all_pages(keepers, size, sorted_, between))
    numbers = [number for _, number in given_out]
    assert len(numbers) == len(set(numbers)), "given out twice"
    stayed = at_first & {item for keeper in keepers.values() for item in keeper.held}
    assert stayed <= set(given_out), "lost"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=40), st.integers(1, 7), st.booleans())
def test_without_writes_the_pages_are_the_sorted_union(
    items: list[tuple[str, int | None]], size: int, down: bool
) -> None:
    keepers = {name: Keeper(name, down) for name in ("order", "consent", "report")}
    for number, (name, value) in enumerate(items):
        keepers[name].held.add((value, number))
    values = [value for value, _ in asyncio.run(all_pages(keepers, size, True, []))]
    expected = sorted((v for _, v in items if v is not None), reverse=down) + [None] * sum(v is None for _, v in items)
    assert values == expected

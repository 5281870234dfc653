"""Many words sought at once: only those are tried that begin with the letters at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from slipring.qc.report.beginnings import LETTERS, beginnings

T = TypeVar("T")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")


class Finder(Generic[T]):
    """Finds patterns, each with what it stands for; hits of one thing never overlap, hits of different things may."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        """`patterns` are regular expressions without capturing groups; the same thing may have many."""
        self._sorted = _sorted_out(patterns)
        self._buckets: dict[str, tuple[re.Pattern[str], list[tuple[T, re.Pattern[str]]]] | None] = {}
        self._places = _at_one_of(frozenset(letters[0] for letters in self._sorted))

    def __call__(self, plain: str, start: int, end: int) -> Iterator[tuple[T, int, int]]:
        """Every hit between these places of folded text, in order of place: what it stands for, start and end."""
        passed: dict[int, int] = {}
        for place in self._places.finditer(plain, start, end):
            at = place.start()
            letters = plain[at : at + LETTERS]
            bucket = self._buckets[letters] if letters in self._buckets else self._made(letters)
            if bucket is None or bucket[0].match(plain, at, end) is None:  # most places begin nothing
                continue
            for thing, pattern in bucket[1]:
                if passed.get(id(thing), 0) > at:
                    continue
                hit = pattern.match(plain, at, end)
                if hit is not None and hit.end() > at:
                    passed[id(thing)] = hit.end()
                    yield thing, at, hit.end()

    def _made(self, letters: str) -> tuple[re.Pattern[str], list[tuple[T, re.Pattern[str]]]] | None:
        """What may begin with these letters, all of it and each thing by itself; made when it is first asked for."""
        by_thing: dict[int, tuple[T, list[str]]] = {}
        for pattern, thing in _fitting(self._sorted, letters):
            by_thing.setdefault(id(thing), (thing, []))[1].append(pattern)
        each = [(thing, "|".join(some)) for thing, some in by_thing.values()]
        made = [(thing, re.compile(pattern)) for thing, pattern in each]
        self._buckets[letters] = (re.compile("|".join(pattern for _, pattern in each)), made) if each else None
        return self._buckets[letters]


class OneByOne(Generic[T]):
    """Finds patterns one after the other: no two hits overlap, and of those that begin together the longest pattern wins."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        """`patterns` are regular expressions without capturing groups."""
        self._sorted = _sorted_out(patterns)
        self._buckets: dict[str, tuple[re.Pattern[str], list[T]] | None] = {}
        self._places = _at_one_of(frozenset(letters[0] for letters in self._sorted))

    def __call__(self, plain: str, start: int, end: int) -> Iterator[tuple[T, int, int]]:
        """Every hit between these places of folded text: what it stands for, start and end."""
        passed = start
        for place in self._places.finditer(plain, start, end):
            at = place.start()
            if at < passed:
                continue
            letters = plain[at : at + LETTERS]
            bucket = self._buckets[letters] if letters in self._buckets else self._made(letters)
            hit = bucket[0].match(plain, at, end) if bucket else None
            if bucket and hit is not None and hit.end() > at:
                passed = hit.end()
                yield bucket[1][(hit.lastindex or 1) - 1], at, passed

    def _made(self, letters: str) -> tuple[re.Pattern[str], list[T]] | None:
        fitting = _fitting(self._sorted, letters)
        joined = re.compile("|".join(f"({pattern})" for pattern, _ in fitting))
        self._buckets[letters] = (joined, [thing for _, thing in fitting]) if fitting else None
        return self._buckets[letters]


def _sorted_out(patterns: Iterable[tuple[str, T]]) -> dict[str, list[tuple[str, T]]]:
    found: dict[str, list[tuple[str, T]]] = {}
    for pattern, thing in patterns:
        for letters in beginnings(pattern):
            found.setdefault(letters, []).append((pattern, thing))
    return found


def _fitting(found: dict[str, list[tuple[str, T]]], letters: str) -> list[tuple[str, T]]:
    """The patterns that may begin with these letters, the longest first."""
    some = [one for length in range(len(letters), 0, -1) for one in found.get(letters[:length], ())]
    unique = {(pattern, id(thing)): (pattern, thing) for pattern, thing in some}
    return sorted(unique.values(), key=lambda one: len(one[0]), reverse=True)


def _at_one_of(characters: frozenset[str]) -> re.Pattern[str]:
    latin, other = characters & _LATIN, characters - _LATIN
    some = [f"(?<![a-z])[{''.join(sorted(latin))}]"] if latin else []
    if other:
        some.append("[" + "".join(map(re.escape, sorted(other))) + "]")
    return re.compile("|".join(some) or r"(?!)")

"""Many words sought at once: only those are tried that begin with the character at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")


class Finder(Generic[T]):
    """Finds patterns, each with what it stands for; hits of one thing never overlap, hits of different things may."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        """`patterns` are regular expressions without capturing groups; the same thing may have many."""
        sorted_out: dict[str, dict[int, tuple[T, list[str]]]] = {}
        for pattern, thing in patterns:
            for character in first_characters(pattern):
                sorted_out.setdefault(character, {}).setdefault(id(thing), (thing, []))[1].append(pattern)
        self._buckets = {
            character: [
                (thing, re.compile("|".join(sorted(some, key=len, reverse=True)))) for thing, some in bucket.values()
            ]
            for character, bucket in sorted_out.items()
        }
        self._places = _at_one_of(frozenset(sorted_out))

    def __call__(self, plain: str, start: int, end: int) -> Iterator[tuple[T, int, int]]:
        """Every hit between these places of folded text, in order of place: what it stands for, start and end."""
        passed: dict[int, int] = {}
        for place in self._places.finditer(plain, start, end):
            at = place.start()
            for thing, pattern in self._buckets[plain[at]]:
                if passed.get(id(thing), 0) > at:
                    continue
                hit = pattern.match(plain, at, end)
                if hit is not None and hit.end() > at:
                    passed[id(thing)] = hit.end()
                    yield thing, at, hit.end()


class OneByOne(Generic[T]):
    """Finds patterns one after the other: no two hits overlap, and of those that begin together the longest pattern wins."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        """`patterns` are regular expressions without capturing groups."""
        sorted_out: dict[str, list[tuple[str, T]]] = {}
        for pattern, thing in patterns:
            for character in first_characters(pattern):
                sorted_out.setdefault(character, []).append((pattern, thing))
        self._buckets: dict[str, tuple[re.Pattern[str], list[T]]] = {}
        for character, some in sorted_out.items():
            some.sort(key=lambda one: len(one[0]), reverse=True)
            joined = re.compile("|".join(f"({pattern})" for pattern, _ in some))
            self._buckets[character] = joined, [thing for _, thing in some]
        self._places = _at_one_of(frozenset(sorted_out))

    def __call__(self, plain: str, start: int, end: int) -> Iterator[tuple[T, int, int]]:
        """Every hit between these places of folded text: what it stands for, start and end."""
        passed = start
        for place in self._places.finditer(plain, start, end):
            at = place.start()
            if at < passed:
                continue
            pattern, things = self._buckets[plain[at]]
            hit = pattern.match(plain, at, end)
            if hit is not None and hit.end() > at:
                passed = hit.end()
                yield things[(hit.lastindex or 1) - 1], at, passed


def _at_one_of(characters: frozenset[str]) -> re.Pattern[str]:
    latin, other = characters & _LATIN, characters - _LATIN
    some = [f"(?<![a-z])[{''.join(sorted(latin))}]"] if latin else []
    if other:
        some.append("[" + "".join(map(re.escape, sorted(other))) + "]")
    return re.compile("|".join(some) or r"(?!)")


def first_characters(pattern: str) -> set[str]:
    """The characters that a match of the pattern can begin with; a pattern that may begin with anything is refused.

    >>> sorted(first_characters("(?<![a-z])(?:no|free(?:ly)?)x"))
    ['f', 'n']
    >>> sorted(first_characters("(?:左|右)?肺[a]"))
    ['右', '左', '肺']
    """
    return _first_of(pattern, 0)[0]


def _first_of(pattern: str, at: int) -> tuple[set[str], bool]:
    """First characters of the alternatives from here on, and whether one of them may be empty."""
    found: set[str] = set()
    empty = False
    for branch in _branches(pattern[at:]):
        some, may_be_empty = _first_of_branch(branch)
        found |= some
        empty |= may_be_empty
    return found, empty


def _first_of_branch(branch: str) -> tuple[set[str], bool]:
    found: set[str] = set()
    at = 0
    while at < len(branch):
        atom, after = _atom(branch, at)
        if branch.startswith(("(?<!", "(?<=", "(?!", "(?="), at):
            at = after
            continue
        some, empty = _first_of(atom[3:-1], 0) if atom.startswith("(?:") else (_single(atom), False)
        found |= some
        optional = after < len(branch) and (branch[after] in "?*" or branch.startswith("{0", after))
        if not (optional or empty):
            return found, False
        at = after
        while at < len(branch) and branch[at] in "?*+":
            at += 1
        if branch.startswith("{", at):
            at = branch.index("}", at) + 1
            at += branch.startswith("?", at)
    return found, True


def _single(atom: str) -> set[str]:
    if atom == r"\d":
        return set(_DIGITS)
    if atom == r"\s":
        return set(" \n\t\u3000")
    if atom == r"\w":
        return set(_LATIN | _DIGITS)
    if atom.startswith("[") and not atom.startswith("[^"):
        return _in_class(atom[1:-1])
    if atom.startswith("\\") and not atom[1].isalpha():
        return {atom[1]}
    if len(atom) == 1 and atom not in ".^$":
        return {atom}
    raise ValueError(f"a word must begin with a character: {atom}")


def _in_class(inside: str) -> set[str]:
    found: set[str] = set()
    for member in re.finditer(r"\\?(.)-\\?(.)|\\(.)|(.)", inside):
        if member[1]:
            found |= {chr(code) for code in range(ord(member[1]), ord(member[2]) + 1)}
        elif member[3]:
            found |= _single("\\" + member[3])
        else:
            found.add(member[4])
    return found


def _atom(branch: str, at: int) -> tuple[str, int]:
    if branch[at] == "\\":
        return branch[at : at + 2], at + 2
    if branch[at] == "[":
        end = branch.index("]", at + 2)
        return branch[at : end + 1], end + 1
    if branch[at] != "(":
        return branch[at], at + 1
    depth, end = 0, at
    while True:
        if branch[end] == "\\":
            end += 1
        elif branch[end] == "[":
            end = branch.index("]", end + 2)
        elif branch[end] == "(":
            depth += 1
        elif branch[end] == ")":
            depth -= 1
            if depth == 0:
                return branch[at : end + 1], end + 1
        end += 1


def _branches(pattern: str) -> list[str]:
    found, at, begun = [], 0, 0
    while at < len(pattern):
        if pattern[at] == "|":
            found.append(pattern[begun:at])
            begun = at + 1
            at += 1
        else:
            _, at = _atom(pattern, at)
    return [*found, pattern[begun:]]

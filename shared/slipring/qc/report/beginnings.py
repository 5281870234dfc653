"""With which letters a pattern can begin, read off the pattern itself."""

from __future__ import annotations

import re

LETTERS = 3  # so many letters are told apart
_OPEN = "\x00"  # whatever follows
_MANY = 64
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_CLASSES = {r"\d": _DIGITS, r"\s": frozenset(" \n\t\u3000")}


def beginnings(pattern: str) -> set[str]:
    """The first three letters that a match can have; fewer stand for whatever follows them.

    Patterns have no capturing groups. One that may begin with anything is refused (ValueError).

    >>> sorted(beginnings("(?<![a-z])(?:no|free(?:ly)?)x"))
    ['fre', 'nox']
    >>> sorted(beginnings("(?:左|右)?肺[^a]"))
    ['右肺', '左肺', '肺']
    """
    found = {one.rstrip(_OPEN) if _OPEN in one else one for one in _of_pattern(pattern)}
    if "" in found:
        raise ValueError(f"a word must begin with a letter: {pattern}")
    return found


def _of_pattern(pattern: str) -> set[str]:
    return {one for branch in _branches(pattern) for one in _of_branch(branch)}


def _of_branch(branch: str) -> set[str]:
    found, at = {""}, 0
    while at < len(branch) and any(_unfinished(one) for one in found):
        atom, after = _atom(branch, at)
        if branch.startswith(("(?<!", "(?<=", "(?!", "(?="), at):
            at = after
            continue
        some = _of_pattern(atom[3:-1]) if atom.startswith("(?:") else _of_atom(atom)
        some, at = _repeated(some, branch, after)
        found = {
            longer
            for one in found
            for longer in ([(one + two)[:LETTERS] for two in some] if _unfinished(one) else [one])
        }
    return found


def _unfinished(beginning: str) -> bool:
    return len(beginning) < LETTERS and _OPEN not in beginning


def _repeated(some: set[str], branch: str, at: int) -> tuple[set[str], int]:
    quantifier = re.compile(r"[?*+]\??|\{(\d*)[^}]*\}\??").match(branch, at)
    if quantifier is None:
        return some, at
    optional = quantifier[0][0] in "?*" or quantifier[1] == "0"
    again = quantifier[0][0] != "?"
    repeated = {one + _OPEN if again and _unfinished(one) else one for one in some}
    return (repeated | {""} if optional else repeated), quantifier.end()


def _of_atom(atom: str) -> set[str]:
    if atom in _CLASSES:
        return set(_CLASSES[atom])
    if atom.startswith("[") and not atom.startswith("[^"):
        members = _in_class(atom[1:-1])
        return members if len(members) <= _MANY else {_OPEN}
    if atom.startswith("\\") and not atom[1].isalpha():
        return {atom[1]}
    if atom == "$":
        return {_OPEN}
    return {atom} if len(atom) == 1 and atom not in ".^" else {_OPEN}


def _in_class(inside: str) -> set[str]:
    found: set[str] = set()
    for member in re.finditer(r"(\\.)|(.)-(.)|(.)", inside):
        if member[1]:
            found |= set(_CLASSES.get(member[1], member[1][1]))
        elif member[2]:
            found |= {chr(code) for code in range(ord(member[2]), ord(member[3]) + 1)}
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

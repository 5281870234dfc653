"""The tokens of a JSON text, as written, and the place each stands at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>true|false|null)|(?P<mark>[{}\[\],:]))"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token, numbers and strings as written, white space left out."""
    position, end = 0, len(text.rstrip(" \t\r\n"))
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"not JSON at character {position}")
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()


def places(text: str) -> Iterator[tuple[str, str, str]]:
    """Place, kind and text of each member name (kind `name`) and each scalar; ends quietly where JSON ends."""
    path: list[str | int] = []  # per open container: the present name, or the present index
    naming = False
    try:
        for kind, written in tokens(text):
            if kind == "mark":
                naming = _step(path, written, naming)
            elif kind == "string" and naming:
                name = json.loads(written)
                path[-1] = name if _PLAIN_NAME.fullmatch(name) else "?"
                naming = False
                yield _spelled(path), "name", written
            else:
                yield _spelled(path), kind, written
    except (ValueError, IndexError):
        return


def where_it_ends(text: str) -> tuple[int, int]:
    """Line and column, from 1, of the first character that is no JSON token."""
    position = 0
    while (match := _TOKEN.match(text, position)) is not None and match.lastgroup is not None:
        position = match.end()
    position += len(text[position:]) - len(text[position:].lstrip(" \t\r\n"))
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _step(path: list[str | int], mark: str, naming: bool) -> bool:
    """Move the path over a mark; whether the next string is a member name."""
    if mark == "{":
        path.append("")
        return True
    if mark == "[":
        path.append(0)
    elif mark in "}]":
        path.pop()
    elif mark == ",":
        last = path[-1]
        if isinstance(last, int):
            path[-1] = last + 1
        return isinstance(last, str)
    return naming and mark == ":"


def _spelled(path: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")

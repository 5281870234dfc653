"""The usual JSON read at full speed; whatever is doubtful is left to the strict reader, which can say what is wrong.

A fast parser alone would keep the last of two members of one name. Here the tree is written again and must give the
text received, blanks aside: then nothing was repeated, rounded or lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode
_format = msgspec.json.format
_COMPACT = -1
# Of 64 digits in a row every eighth byte is one: looking at these alone finds each whole number that may be too long.
_STRIDE = 8
_EIGHT_DIGITS = re.compile(rb"[0-9]{8}")


class PlainReader:
    """Reads what needs no second look; `decimal` makes a number with point or exponent, or raises ValueError.

    Whole numbers of 64 digits and more are left to the strict reader.
    """

    def __init__(self, decimal: Callable[[str], Decimal]) -> None:
        self._decode = msgspec.json.Decoder(float_hook=decimal).decode

    def read(self, body: bytes, max_depth: int) -> dict[str, Any] | None:
        """The tree of a JSON object, numbers as int or Decimal; None when the strict reader must judge."""
        try:
            tree = self._decode(body)
            same = tree.__class__ is dict and _encode(tree) == _format(body, indent=_COMPACT)
            long = _EIGHT_DIGITS.search(body[::_STRIDE])
            return tree if same and not long and not _perhaps_deep(body, max_depth) else None
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None


def _perhaps_deep(body: bytes, max_depth: int) -> bool:
    """Written with one blank per level, a text that goes this deep has a line that begins with as many."""
    if body.count(b"{") + body.count(b"[") < max_depth:
        return False
    return b"\n" + b" " * max_depth in _format(body, indent=1)

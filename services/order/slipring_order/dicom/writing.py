"""Answers of the worklist as bytes (PS3.5 7.1, 7.5), in every plain transfer syntax. Pure.

An answer is text, whole numbers and sequences of them, which is all that is written here: pydicom takes a millisecond
for each entry of a scanner's day, twenty times as long. A property test holds the two together.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from pydicom.charset import python_encoding
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

TEXTS = frozenset({"PN", "LO", "SH", "ST", "LT", "UT", "UC"})  # written in the answer's character set
_ITEM = 0xFFFEE000


class Element(NamedTuple):
    """One attribute: text, a whole number (US), or the items of a sequence; empty when nothing is known."""

    tag: BaseTag
    vr: str
    value: str | int | Sequence[Sequence[Element]]


def written(elements: Sequence[Element], syntax: UID, character_set: str) -> bytes:
    """The elements, in the order of their tags, as bytes."""
    encoding = python_encoding[character_set] if character_set else "ascii"
    found = _elements(elements, "<" if syntax.is_little_endian else ">", encoding, implicit=syntax.is_implicit_VR)
    if not syntax.is_deflated:
        return found
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # without a head (PS3.5 A.5)
    packed = packing.compress(found) + packing.flush()
    return packed + b"\0" * (len(packed) % 2)


def _elements(elements: Sequence[Element], order: str, encoding: str, *, implicit: bool) -> bytes:
    parts = []
    for tag, vr, value in elements:
        data = _value(vr, value, order, encoding, implicit=implicit)
        parts += [_head(tag, vr, len(data), order, implicit=implicit), data]
    return b"".join(parts)


def _head(tag: int, vr: str, length: int, order: str, *, implicit: bool) -> bytes:
    if implicit:
        return struct.pack(f"{order}HHL", tag >> 16, tag & 0xFFFF, length)
    kind = vr[:2].encode()  # of "OB or OW" the first: it is empty
    if kind.decode() in EXPLICIT_VR_LENGTH_32:
        return struct.pack(f"{order}HH2sHL", tag >> 16, tag & 0xFFFF, kind, 0, length)
    return struct.pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, kind, length)


def _value(
    vr: str, value: str | int | Sequence[Sequence[Element]], order: str, encoding: str, *, implicit: bool
) -> bytes:
    if isinstance(value, str):
        data = value.encode(encoding if vr in TEXTS else "ascii", "replace")
        return data + (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
    if isinstance(value, int):
        return struct.pack(f"{order}H", value)
    items = (_elements(item, order, encoding, implicit=implicit) for item in value)
    return b"".join(struct.pack(f"{order}HHL", _ITEM >> 16, _ITEM & 0xFFFF, len(item)) + item for item in items)

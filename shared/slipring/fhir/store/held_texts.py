"""Versions as a verdict holds them: their texts packed together, each read when it is looked at.

A quarter's exams as trees take gigabytes, as texts hundreds of megabytes; records of one kind are alike, and so many of
them packed together take a tenth of that.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from slipring.fhir.service import Evidence, Resource, Stored

TOGETHER = 32  # texts: of a kibibyte each they fill the window that the packing looks back on
_DECODER = msgspec.json.Decoder(dict, float_hook=Decimal)
_APART = b"\0"  # what no text of the store can hold
_QUICK = 1


class Texts:
    """Some texts in the order they are likely to be read in."""

    __slots__ = ("_packed",)

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._packed = zlib.compress(_APART.join(texts), _QUICK)

    def unpacked(self) -> list[bytes]:
        """The texts as they were given."""
        return zlib.decompress(self._packed).split(_APART)


class HeldStored(Stored):
    """A version kept here, its tree read each time it is looked at."""

    __slots__ = ("_line", "_place", "_texts")
    _line: str
    _place: int
    _texts: Texts
    source = ""  # only what is kept here, stands and is read by the house is held
    deleted = False
    audience = None

    def __init__(self, line: str, texts: Texts, place: int, version: int, updated_at: datetime) -> None:
        put = object.__setattr__
        put(self, "_line", line)
        put(self, "_texts", texts)
        put(self, "_place", place)
        put(self, "version", version)
        put(self, "updated_at", updated_at)

    @property
    def resource(self) -> Resource:
        """The tree; not to be changed by whoever reads it."""
        return _read(self._texts, self._place)

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return self._line.partition("/_history/")[0]


class HeldEvidence(Evidence):
    """Evidence that holds its line, which says reference, version and hash, and nothing of it twice."""

    __slots__ = ("_line",)
    _line: str

    def __init__(self, line: str, stored: HeldStored, *, altered: bool) -> None:
        put = object.__setattr__
        put(self, "_line", line)
        put(self, "stored", stored)
        put(self, "altered", altered)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the text."""
        return self._line.rpartition(" ")[2]

    @property
    def line(self) -> str:
        """As a verdict names what it rests on."""
        return self._line


@lru_cache(maxsize=64)  # what a judge looks at more than once before it goes on
def _read(texts: Texts, place: int) -> Resource:
    tree: Resource = _DECODER.decode(_unpacked(texts)[place])
    return tree


@lru_cache(maxsize=64)
def _unpacked(texts: Texts) -> list[bytes]:
    return texts.unpacked()

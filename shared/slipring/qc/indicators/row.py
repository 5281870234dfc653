"""One member of what indicators count, as it is kept beside the record it was read from. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

_HALF = 8  # bytes of one half of the digest


class Counted(NamedTuple):
    """A member of a population with what its record says of it (`marks`), or a remark of another record on that member.

    `value`: in the unit that the population says (`populations.toml`), None where the record has none. `first` and
    `second`: 128 bits of the SHA-256 of all the others, so that sums of them tell whether a set of rows is the same.
    """

    population: str
    member: str  # Type/id
    at: datetime
    marks: str  # words in order, between blanks
    remark: bool
    value: float | None
    scanner: str
    requester: str
    system: str
    first: int
    second: int


def counted(
    population: str,
    member: str,
    at: datetime,
    marks: Iterable[str] = (),
    *,
    remark: bool = False,
    value: float | None = None,
    scanner: str = "",
    requester: str = "",
    system: str = "",
) -> Counted:
    """A row with its digest; a mark is one word.

    >>> from datetime import UTC
    >>> counted("exam", "Task/o-1", datetime(2026, 3, 4, tzinfo=UTC), ["stat", "acquired"]).marks
    'acquired stat'
    """
    words = " ".join(sorted({mark for mark in marks if mark}))
    said = [population, member, at.timestamp(), words, remark, value, scanner, requester, system]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).digest()
    first, second = (int.from_bytes(digest[start : start + _HALF], signed=True) for start in (0, _HALF))
    return Counted(population, member, at, words, remark, value, scanner, requester, system, first, second)

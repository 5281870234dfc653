"""The limits and intervals of the tests of a scanner: one table for values that are entered and values that images give."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from slipring.rules.limits import LimitBook

_FILE = Path(__file__).with_name("limits.toml")


def scanner_limits(confirmed: Collection[str] = ()) -> LimitBook:
    """The table; `confirmed` holds limit ids that the department has confirmed, or `*` for all."""
    return LimitBook.load(_FILE, confirmed)

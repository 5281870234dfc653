"""Columns of texts sent as one text each: a fraction of what an array of as many texts costs the driver."""

from __future__ import annotations

from collections.abc import Sequence

_BETWEEN = "\x1f"  # the unit separator, which no FHIR string may hold


class NotPackable(Exception):
    """One of the texts holds the separator; it must be sent another way."""


def packed(column: Sequence[str]) -> str:
    """Each text after a separator; none at all is an empty text."""
    if not column:
        return ""
    text = _BETWEEN + _BETWEEN.join(column)
    if text.count(_BETWEEN) != len(column):
        raise NotPackable
    return text


def unpacked(placeholder: str) -> str:
    """The array of texts in SQL; what stands before the first separator is nothing."""
    return f"(string_to_array({placeholder}::text, E'\\x1f'))[2:]"

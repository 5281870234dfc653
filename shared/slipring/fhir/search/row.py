"""The rows of the four search tables as values; `parameter` is `Type.code` throughout."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Token(NamedTuple):
    """A code in a system ('' when it has none)."""

    parameter: str
    system: str
    code: str


class Reference(NamedTuple):
    """A relative reference by type and id; any other has type '' and the URL as id."""

    parameter: str
    type: str
    id: str


class Date(NamedTuple):
    """A half-open interval in UTC."""

    parameter: str
    low: datetime
    high: datetime


class Text(NamedTuple):
    """A string, folded for the default match and exact beside it."""

    parameter: str
    folded: str
    exact: str


@dataclass(slots=True)
class Rows:
    """All search rows of one resource; `parameter` is `Type.code` throughout."""

    tokens: list[Token] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[Date] = field(default_factory=list)
    strings: list[Text] = field(default_factory=list)

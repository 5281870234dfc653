"""The rows of the search tables as values; `parameter` is `Type.code` throughout."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from slipring.qc.indicators.row import Counted


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


class Quantity(NamedTuple):
    """A number or an amount as the closed interval it stands for; a side that is open is infinite.

    `system` and `code` are its coded unit, `unit` the unit as people write it; all '' for a plain number.
    """

    parameter: str
    low: Decimal
    high: Decimal
    system: str
    code: str
    unit: str


@dataclass(slots=True)
class Rows:
    """All search rows of one resource; `parameter` is `Type.code` throughout. `counted`: what indicators count of it."""

    tokens: list[Token] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[Date] = field(default_factory=list)
    strings: list[Text] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)

    @property
    def families(self) -> dict[str, list[Any]]:
        """The rows that are searched, by the name of their family."""
        return {
            "token": self.tokens,
            "reference": self.references,
            "date": self.dates,
            "string": self.strings,
            "quantity": self.quantities,
        }

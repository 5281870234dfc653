"""What indicators count: members of populations and remarks on them, hung on the resource they were read from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Double, Index, Numeric, SmallInteger, Text, text
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class CountedRow(Table, table=True):
    """A row of `slipring.qc.indicators.row`; like a search row it has no number of its own.

    A year of a population is read from the index `counted_at` alone, its values between two bounds from `counted_value`.
    """

    __tablename__ = "counted"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "population", "member", "remark"]}
    __table_args__ = (
        Index("counted_key", "key"),
        Index(
            "counted_at",
            "population",
            "at",
            postgresql_include=["marks", "value", "first", "second"],
            postgresql_where=text("NOT remark"),
        ),
        Index(
            "counted_value",
            "population",
            "value",
            postgresql_include=["at", "marks", "first", "second"],
            postgresql_where=text("NOT remark AND value IS NOT NULL"),
        ),
        Index("counted_member", "population", "member"),
        Index("counted_remark", "population", "member", postgresql_where=text("remark AND marks <> ''")),
    )
    key: int = Field(sa_type=BigInteger)
    population: str = Field(sa_type=Text)
    member: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=moment())
    marks: str = Field(sa_type=Text)
    remark: bool
    value: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    scanner: str = Field(sa_type=Text)
    requester: str = Field(sa_type=Text)
    system: str = Field(sa_type=Text)
    first: int = Field(sa_type=BigInteger)
    second: int = Field(sa_type=BigInteger)


class CountedSumRow(Table, table=True):
    """How many rows that are no remarks came (or went, below zero) of one UTC day, and the sums of their digests.

    The triggers of migrations 0019 and 0020 add rows in the statement that changes `counted`, so that nobody waits for anybody: what
    stands is the sum of all rows, folded or not. `step`: where the value lies, None of rows without.
    """

    __tablename__ = "counted_sum"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["population", "day", "marks", "step", "folded"]}
    __table_args__ = (
        Index("counted_sum_day", "population", "day"),
        Index("counted_sum_loose", "population", "day", postgresql_where=text("NOT folded")),
    )
    population: str = Field(sa_type=Text)
    day: date
    marks: str = Field(sa_type=Text)
    step: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    members: int = Field(sa_type=BigInteger)
    first: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    second: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    folded: bool


class CountedMonthRow(Table, table=True):
    """The same sums by UTC month, written in the same statement: a year is told by twelve of them and a few days.

    `day`: the first of the month.
    """

    __tablename__ = "counted_month"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["population", "day", "marks", "step", "folded"]}
    __table_args__ = (
        Index("counted_month_day", "population", "day"),
        Index("counted_month_loose", "population", "day", postgresql_where=text("NOT folded")),
    )
    population: str = Field(sa_type=Text)
    day: date
    marks: str = Field(sa_type=Text)
    step: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    members: int = Field(sa_type=BigInteger)
    first: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    second: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    folded: bool

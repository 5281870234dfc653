"""What indicators count: members of populations and remarks on them, hung on the resource they were read from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Double, Index, Text, text
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class CountedRow(Table, table=True):
    """A row of `slipring.qc.indicators.row`; like a search row it has no number of its own.

    A year of a population is read from the index `counted_at` alone.
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

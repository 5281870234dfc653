"""Resources with their versions, and the rows that searches go by."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class ResourceRow(Table, table=True):
    """One resource: which version is current."""

    __tablename__ = "resource"
    __table_args__ = (
        UniqueConstraint("type", "id"),
        Index("resource_by_update", "type", "updated_at", "key"),
        Index("resource_by_type", "type", "key"),
    )
    key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    type: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    version: int
    updated_at: datetime = Field(sa_column=moment())
    deleted: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    source: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    # For whom it is now, before everybody may see it; NULL = for everybody.
    audience: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))


class VersionRow(Table, table=True):
    """One version with the exact text that is served; copies keep the current one only."""

    __tablename__ = "version"
    __table_args__ = (Index("version_by_sequence", "sequence"),)
    key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    version: int = Field(primary_key=True)
    sequence: int = Field(
        sa_column=Column(BigInteger, nullable=False, server_default=text("nextval('version_sequence')"))
    )
    updated_at: datetime = Field(sa_column=moment())
    method: str = Field(sa_type=Text)  # POST, PUT, DELETE
    body: str = Field(sa_type=Text)
    # For whom this version is: one that was never released stays so, whatever followed.
    audience: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))


# Search rows are found by value or by `key` and never one by one: a number of their own, with its index, would cost a
# third of a write. The mapper wants to know what tells them apart; the database does not.


class TokenRow(Table, table=True):
    """A token search row; `parameter` is `Type.code`.

    The planner knows by extended statistics which codes a parameter has (migration 0005).
    """

    __tablename__ = "search_token"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "parameter", "system", "code"]}
    __table_args__ = (
        Index("search_token_value", "parameter", "code", "system", "key"),
        Index("search_token_key", "key"),
    )
    key: int = Field(sa_type=BigInteger)
    parameter: str = Field(sa_type=Text)
    system: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)


class ReferenceRow(Table, table=True):
    """A reference search row: relative references by type and id, others with type '' and the whole URL as id."""

    __tablename__ = "search_reference"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "parameter", "type", "id"]}
    __table_args__ = (
        Index("search_reference_value", "parameter", "id", "type", "key"),
        Index("search_reference_key", "key"),
    )
    key: int = Field(sa_type=BigInteger)
    parameter: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)


class DateRow(Table, table=True):
    """A date search row as a half-open interval [low, high)."""

    __tablename__ = "search_date"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "parameter", "low", "high"]}
    __table_args__ = (
        Index("search_date_low", "parameter", "low", "key"),
        Index("search_date_high", "parameter", "high", "key"),
        Index("search_date_key", "key"),
    )
    key: int = Field(sa_type=BigInteger)
    parameter: str = Field(sa_type=Text)
    low: datetime = Field(sa_column=moment())
    high: datetime = Field(sa_column=moment())


class StringRow(Table, table=True):
    """A string search row: folded for the default match, exact beside it."""

    __tablename__ = "search_string"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "parameter", "folded", "exact"]}
    __table_args__ = (
        Index("search_string_value", "parameter", text("left(folded, 200) text_pattern_ops"), "key"),
        Index("search_string_key", "key"),
    )
    key: int = Field(sa_type=BigInteger)
    parameter: str = Field(sa_type=Text)
    folded: str = Field(sa_type=Text)
    exact: str = Field(sa_type=Text)


class QuantityRow(Table, table=True):
    """A number or amount as a closed interval (an open side is infinite) with its coded and its written unit."""

    __tablename__ = "search_quantity"
    __mapper_args__: ClassVar[Any] = {"primary_key": ["key", "parameter", "low", "high", "system", "code", "unit"]}
    __table_args__ = (
        Index("search_quantity_low", "parameter", "code", "low", "key"),
        Index("search_quantity_high", "parameter", "code", "high", "key"),
        Index("search_quantity_key", "key"),
    )
    key: int = Field(sa_type=BigInteger)
    parameter: str = Field(sa_type=Text)
    low: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    high: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    system: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)


class BusinessKeyRow(Table, table=True):
    """A business key taken for good (order number, imaging number, case of an exam and finding)."""

    __tablename__ = "business_key"
    value: str = Field(sa_type=Text, primary_key=True)
    resource: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))

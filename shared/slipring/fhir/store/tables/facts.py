"""What a schema knows about itself."""

from __future__ import annotations

from sqlalchemy import Text
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table


class SecretRow(Table, table=True):
    """A random value made once per schema, e.g. the key that encrypts page cursors."""

    __tablename__ = "secret"
    name: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text)


class MarkRow(Table, table=True):
    """A fact about the database itself, e.g. that it is a demo."""

    __tablename__ = "mark"
    name: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text)

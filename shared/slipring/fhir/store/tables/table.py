"""What all tables have in common."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, text
from sqlmodel import SQLModel


class Table(SQLModel):
    """Base of all tables, in a registry of their own.

    Without a schema name: the connection's search_path names the service's schema.
    """

    metadata = MetaData()


def moment(*, nullable: bool = False, default: str | None = None, key: bool = False) -> Any:
    """A column for a moment."""
    written = text(default) if default else None
    return Column(DateTime(timezone=True), nullable=nullable, server_default=written, primary_key=key)

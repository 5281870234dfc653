"""Programs that ask, their tokens, and conditions that are being decided.

In the front's schema only: used by `slipring.identity` and `slipring.front`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class ClientRow(Table, table=True):
    """A registered client with its public keys and the scopes it may ask for."""

    __tablename__ = "client"
    id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    jwks: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    practitioner: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    redirect_uris: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    public: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})  # it can keep no key
    jwks_uri: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    patient: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})  # his id
    ended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class RevocationRow(Table, table=True):
    """Tokens refused before they end: those of a client or a session, or one token."""

    __tablename__ = "revocation"
    kind: str = Field(sa_type=Text, primary_key=True)  # client, sid, jti
    value: str = Field(sa_type=Text, primary_key=True)
    until: datetime = Field(sa_column=moment())


class TokenKeyRow(Table, table=True):
    """A key that signs access tokens; the private half never leaves the front's schema."""

    __tablename__ = "token_key"
    kid: str = Field(sa_type=Text, primary_key=True)
    private_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    public_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=moment(default="clock_timestamp()"))


class UsedAssertionRow(Table, table=True):
    """A client assertion's jti, kept until it expires: none is accepted twice."""

    __tablename__ = "used_assertion"
    client: str = Field(sa_type=Text, primary_key=True)
    jti: str = Field(sa_type=Text, primary_key=True)
    expires_at: datetime = Field(sa_column=moment())


class DecidingRow(Table, table=True):
    """A condition on a type that several services keep, while one request at the front decides it alone."""

    __tablename__ = "deciding"
    condition: str = Field(sa_type=Text, primary_key=True)
    holder: str = Field(sa_type=Text)
    until: datetime = Field(sa_column=moment())

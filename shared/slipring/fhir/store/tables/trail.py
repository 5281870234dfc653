"""The audit trail, its seals and the keys that make them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class AuditRow(Table, table=True):
    """Who did what to which resource, with its own content hash; unchained (sealed later); by month, and never dropped."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_time", "at", "id"), {"postgresql_partition_by": "RANGE (at)"})
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_column=moment(key=True))
    client: str = Field(sa_type=Text)
    practitioner: str = Field(sa_type=Text)
    interaction: str = Field(sa_type=Text)  # read, vread, search, history, create, update, delete, operation, refused
    resource: str = Field(sa_type=Text)  # Type/id/_history/v, or the type for searches
    disclosed: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # references a search gave out
    parameters: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # names only, never values
    body_sha256: str = Field(sa_type=Text)  # of the received body, '' for reads
    request_id: str = Field(sa_type=Text)
    outcome: int  # HTTP status
    content_sha256: str = Field(sa_type=Text)
    # Of the version this row tells of, as it is stored; '' when it tells of none, or was written by an older release.
    stored_sha256: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    # Why, as a code of v3-ActReason (BTG: break the glass); '' is the ordinary case.
    purpose: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


class SealRow(Table, table=True):
    """The seal over some audit rows: which ones and their leaves, the root of their tree, and the signature over it all."""

    __tablename__ = "seal"
    __table_args__: ClassVar[Any] = {"postgresql_partition_by": "RANGE (sealed_at)"}
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    sealed_at: datetime = Field(sa_column=moment(key=True))
    skipped: int = Field(sa_column=Column(BigInteger, nullable=False))  # numbers left out before it, after a restore
    rows: int
    first: int = Field(sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)
    root: str = Field(sa_type=Text)
    previous: str = Field(sa_type=Text)  # SHA-256 of the seal before it
    jws: str = Field(sa_type=Text)
    leaves: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # per row: its id (8 bytes), its leaf (32)


class AuditPatientRow(Table, table=True):
    """That an audit row tells of something about this patient: found when it is sealed, so that no write waits for it."""

    __tablename__ = "audit_patient"
    __table_args__ = (Index("audit_patient_row", "audit"),)
    patient: str = Field(sa_type=Text, primary_key=True)
    audit: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class ServiceKeyRow(Table, table=True):
    """A public key of this service; `endorsed` is the signature over it by the key before it."""

    __tablename__ = "service_key"
    kid: str = Field(sa_type=Text, primary_key=True)
    public_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    since: datetime = Field(sa_column=moment())
    until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    endorsed: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


class ServiceSecretRow(Table, table=True):
    """The private half of the key in use: never shown, in no backup, gone when the key is rotated."""

    __tablename__ = "service_secret"
    kid: str = Field(sa_type=Text, primary_key=True)
    private_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))

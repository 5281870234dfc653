"""People who sign in. In the front's schema only: used by `slipring.identity`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


class AccountRow(Table, table=True):
    """Somebody who signs in here: exactly one Practitioner, roles, and a password or a link to the hospital's sign-in."""

    __tablename__ = "account"
    __table_args__ = (
        Index("account_outside", "issuer", "subject", unique=True, postgresql_where=text("issuer <> ''")),
        Index("account_practitioner", "practitioner"),
    )
    name: str = Field(sa_type=Text, primary_key=True)
    practitioner: str = Field(sa_type=Text)
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    password_hash: str = Field(sa_type=Text)  # '' = signs in elsewhere only
    must_change: bool
    state: str = Field(sa_type=Text)  # active, locked (by an administrator), ended
    ends_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    issuer: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    subject: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    created_at: datetime = Field(sa_column=moment())
    password_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class SignInTriesRow(Table, table=True):
    """The tries under one name, whether an account has it or not; the name is kept as its hash."""

    __tablename__ = "sign_in_tries"
    name_sha256: str = Field(sa_type=Text, primary_key=True)
    failures: int
    last_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    locked_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class ReceiverPinRow(Table, table=True):
    """The PIN of an account, by which its person answers a critical finding without signing in."""

    __tablename__ = "receiver_pin"
    account: str = Field(sa_type=Text, primary_key=True)
    pin_hash: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_column=moment())


class SessionRow(Table, table=True):
    """Somebody signed in at our pages; the cookie is kept as its hash."""

    __tablename__ = "session"
    cookie_sha256: str = Field(sa_type=Text, primary_key=True)
    sid: str = Field(sa_type=Text, unique=True)  # what tokens say
    account: str = Field(sa_column=Column(Text, nullable=False, index=True))
    way: str = Field(sa_type=Text)  # password, provider
    auth_at: datetime = Field(sa_column=moment())
    seen_at: datetime = Field(sa_column=moment())
    ends_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))


class EmergencyRow(Table, table=True):
    """Break-glass: for a reason and for minutes somebody sees more than the roles allow."""

    __tablename__ = "emergency"
    __table_args__ = (Index("emergency_session", "sid", "until"),)
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    sid: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    practitioner: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_column=moment())
    until: datetime = Field(sa_column=moment())


class AuthorizationCodeRow(Table, table=True):
    """A code that a client exchanges once for a token in a person's name."""

    __tablename__ = "authorization_code"
    code_sha256: str = Field(sa_type=Text, primary_key=True)
    client: str = Field(sa_type=Text)
    sid: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    redirect_uri: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    patient: str = Field(sa_type=Text)  # '' = no patient in context
    challenge: str = Field(sa_type=Text)
    nonce: str = Field(sa_type=Text)
    auth_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    family: str = Field(sa_type=Text)  # of the refresh tokens made from it: revoked when the code comes twice
    used: bool


class RefreshTokenRow(Table, table=True):
    """A refresh token, good once; all that follow from one sign-in are a family."""

    __tablename__ = "refresh_token"
    token_sha256: str = Field(sa_type=Text, primary_key=True)
    family: str = Field(sa_column=Column(Text, nullable=False, index=True))
    client: str = Field(sa_type=Text)
    sid: str = Field(sa_type=Text)
    account: str = Field(sa_column=Column(Text, nullable=False, index=True))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    patient: str = Field(sa_type=Text)
    auth_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    used: bool
    revoked: bool

"""The tables of one service's schema; every service has the same (decision: no private tables).

Followed copies live beside kept resources and differ by `source`. Search rows hang on `resource.key`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, MetaData, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

# A registry of its own, without a schema name: the connection's search_path names the service's schema.
metadata = MetaData()


class Table(SQLModel):
    """Base of all tables below."""

    metadata = metadata


def _moment(*, nullable: bool = False, default: str | None = None, key: bool = False) -> Any:
    written = text(default) if default else None
    return Column(DateTime(timezone=True), nullable=nullable, server_default=written, primary_key=key)


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
    updated_at: datetime = Field(sa_column=_moment())
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
    updated_at: datetime = Field(sa_column=_moment())
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
    low: datetime = Field(sa_column=_moment())
    high: datetime = Field(sa_column=_moment())


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


class AuditRow(Table, table=True):
    """Who did what to which resource, with its own content hash; unchained (sealed later); by month, and never dropped."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_time", "at", "id"), {"postgresql_partition_by": "RANGE (at)"})
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_column=_moment(key=True))
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
    sealed_at: datetime = Field(sa_column=_moment(key=True))
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
    since: datetime = Field(sa_column=_moment())
    until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    endorsed: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


class ServiceSecretRow(Table, table=True):
    """The private half of the key in use: never shown, in no backup, gone when the key is rotated."""

    __tablename__ = "service_secret"
    kid: str = Field(sa_type=Text, primary_key=True)
    private_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class OutboxRow(Table, table=True):
    """An event for the subscriptions, unnumbered at commit; by month, and kept for a while once it is fanned out."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_waiting", "id", postgresql_where=text("not fanned_out")),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    key: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    resource_id: str = Field(sa_type=Text)
    version: int
    method: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=_moment(default="clock_timestamp()", key=True))
    fanned_out: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class SubscriptionRow(Table, table=True):
    """The lane of one subscriber: an outside Subscription resource, or a service that follows (`internal`)."""

    __tablename__ = "subscription"
    id: str = Field(sa_type=Text, primary_key=True)  # Subscription id, or "follow:<service>:<criteria>"
    internal: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    follower: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    criteria: str = Field(sa_type=Text)
    endpoint: str = Field(sa_type=Text)
    payload: str = Field(sa_type=Text)  # '' = empty notification
    headers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # values sealed
    signing: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})  # sealed secrets
    status: str = Field(sa_type=Text)  # requested (before the first handshake), active, error, off
    # The status by which a search finds the resource; '' = to be looked at.
    searched_as: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    last_number: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    delivered_number: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    next_attempt_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    worker: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    lease_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    # Of a Backport subscription; `content` '' = plain rest-hook.
    topic: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    filters: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    content: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    max_count: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})  # events in one notification
    heartbeat_seconds: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # 0 = none
    timeout_seconds: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # 0 = ours
    ends_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    # The endpoint has not answered the handshake: no event is sent, but all are counted.
    unverified: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    life_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))  # next handshake or heartbeat
    sent_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))  # last notification that arrived
    # Whose rights decide what it is told: who asked for it last.
    client: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    practitioner: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    patient: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})


class DeliveryRow(Table, table=True):
    """One numbered event of one subscription; by the month of the event.

    That no number comes twice is the fan-out's: it raises `last_number` under the lane's lock.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("delivery_waiting", "subscription", "number", postgresql_where=text("state = 'waiting'")),
        Index("delivery_parked", "subscription", "number", postgresql_where=text("state = 'parked'")),
        {"postgresql_partition_by": "RANGE (event_at)"},
    )
    subscription: str = Field(sa_type=Text, primary_key=True)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    key: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    resource_id: str = Field(sa_type=Text)
    version: int
    method: str = Field(sa_type=Text)
    event_at: datetime = Field(sa_column=_moment(key=True))
    attempt_id: str = Field(sa_type=Text)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    state: str = Field(default="waiting", sa_type=Text, sa_column_kwargs={"server_default": text("'waiting'")})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    delivered_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class TimerRow(Table, table=True):
    """A durable deadline (`kind` timer) or outward errand (`kind` errand)."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("timer_due", "due_at"),
        Index("timer_key", "timer_key", unique=True, postgresql_where=text("timer_key <> ''")),
    )
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    timer_key: str = Field(sa_type=Text)
    due_at: datetime = Field(sa_column=_moment())
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    attempt_id: str = Field(sa_type=Text)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    worker: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    lease_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class FollowRow(Table, table=True):
    """How far this service's copies of one followed criteria are complete."""

    __tablename__ = "follow"
    source: str = Field(sa_type=Text, primary_key=True)
    criteria: str = Field(sa_type=Text, primary_key=True)
    filled: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    number: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    as_of: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


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


# The front's schema only: made by the same migrations, used by `slipring.identity` and `slipring.front`.


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
    ended_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class RevocationRow(Table, table=True):
    """Tokens refused before they end: those of a client or a session, or one token."""

    __tablename__ = "revocation"
    kind: str = Field(sa_type=Text, primary_key=True)  # client, sid, jti
    value: str = Field(sa_type=Text, primary_key=True)
    until: datetime = Field(sa_column=_moment())


class TokenKeyRow(Table, table=True):
    """A key that signs access tokens; the private half never leaves the front's schema."""

    __tablename__ = "token_key"
    kid: str = Field(sa_type=Text, primary_key=True)
    private_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    public_jwk: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=_moment(default="clock_timestamp()"))


class UsedAssertionRow(Table, table=True):
    """A client assertion's jti, kept until it expires: none is accepted twice."""

    __tablename__ = "used_assertion"
    client: str = Field(sa_type=Text, primary_key=True)
    jti: str = Field(sa_type=Text, primary_key=True)
    expires_at: datetime = Field(sa_column=_moment())


class DecidingRow(Table, table=True):
    """A condition on a type that several services keep, while one request at the front decides it alone."""

    __tablename__ = "deciding"
    condition: str = Field(sa_type=Text, primary_key=True)
    holder: str = Field(sa_type=Text)
    until: datetime = Field(sa_column=_moment())


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
    ends_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    issuer: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    subject: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    created_at: datetime = Field(sa_column=_moment())
    password_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class SignInTriesRow(Table, table=True):
    """The tries under one name, whether an account has it or not; the name is kept as its hash."""

    __tablename__ = "sign_in_tries"
    name_sha256: str = Field(sa_type=Text, primary_key=True)
    failures: int
    last_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    locked_until: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class SessionRow(Table, table=True):
    """Somebody signed in at our pages; the cookie is kept as its hash."""

    __tablename__ = "session"
    cookie_sha256: str = Field(sa_type=Text, primary_key=True)
    sid: str = Field(sa_type=Text, unique=True)  # what tokens say
    account: str = Field(sa_column=Column(Text, nullable=False, index=True))
    way: str = Field(sa_type=Text)  # password, provider
    auth_at: datetime = Field(sa_column=_moment())
    seen_at: datetime = Field(sa_column=_moment())
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
    started_at: datetime = Field(sa_column=_moment())
    until: datetime = Field(sa_column=_moment())


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
    auth_at: datetime = Field(sa_column=_moment())
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
    auth_at: datetime = Field(sa_column=_moment())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    used: bool
    revoked: bool

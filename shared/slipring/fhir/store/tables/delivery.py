"""What is to happen after a commit: events and their lanes, timers and errands, what is followed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from slipring.fhir.store.tables.table import Table, moment


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
    created_at: datetime = Field(sa_column=moment(default="clock_timestamp()", key=True))
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
    next_attempt_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    worker: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    lease_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    # Of a Backport subscription; `content` '' = plain rest-hook.
    topic: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    filters: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")))
    content: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    max_count: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})  # events in one notification
    heartbeat_seconds: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # 0 = none
    timeout_seconds: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # 0 = ours
    ends_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    # The endpoint has not answered the handshake: no event is sent, but all are counted.
    unverified: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    life_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))  # next handshake or heartbeat
    sent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))  # last notification that arrived
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
    event_at: datetime = Field(sa_column=moment(key=True))
    attempt_id: str = Field(sa_type=Text)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    state: str = Field(default="waiting", sa_type=Text, sa_column_kwargs={"server_default": text("'waiting'")})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    delivered_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


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
    due_at: datetime = Field(sa_column=moment())
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    attempt_id: str = Field(sa_type=Text)
    urgency: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # 0 goes first among what is due
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": text("''")})
    worker: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    lease_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class FollowRow(Table, table=True):
    """How far this service's copies of one followed criteria are complete."""

    __tablename__ = "follow"
    source: str = Field(sa_type=Text, primary_key=True)
    criteria: str = Field(sa_type=Text, primary_key=True)
    filled: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    number: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    as_of: datetime | None = Field(default=None, sa_column=moment(nullable=True))

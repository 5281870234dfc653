"""Outbox and deliveries in partitions of a month, so that old ones go without a sweep (decision 0023)."""

from alembic import op

from slipring.fhir.store.migrations.by_month import one_table_again, partition_by_month

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WAITING = {"delivery_waiting": "(subscription, number) WHERE state = 'waiting'"}
_PARKED = {"delivery_parked": "(subscription, number) WHERE state = 'parked'"}
_OUTBOX = {"outbox_waiting": "(id) WHERE NOT fanned_out"}


def upgrade() -> None:
    partition_by_month("outbox", "created_at", ("id",), _OUTBOX, "outbox_id_seq")
    partition_by_month("delivery", "event_at", ("subscription", "number"), _WAITING)
    for name, rest in _PARKED.items():
        op.execute(f"CREATE INDEX {name} ON delivery {rest}")


def downgrade() -> None:
    op.execute("DROP INDEX delivery_parked")
    one_table_again("delivery", "event_at", ("subscription", "number"), _WAITING)
    one_table_again("outbox", "created_at", ("id",), _OUTBOX, "outbox_id_seq")

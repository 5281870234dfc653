"""What a Backport subscription asks for, its first handshake, and whose rights decide what it is told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXTS = ("topic", "content", "client", "practitioner")
_LISTS = ("filters", "scopes")
_COUNTS = {"max_count": "1", "heartbeat_seconds": "0", "timeout_seconds": "0"}
_MOMENTS = ("ends_at", "life_at", "sent_at")


def _columns() -> list[sa.Column]:
    found = [sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False) for name in _TEXTS]
    found += [
        sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False) for name in _LISTS
    ]
    found += [sa.Column(name, sa.Integer(), server_default=sa.text(given), nullable=False) for name, given in _COUNTS.items()]
    found += [sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _MOMENTS]
    return [*found, sa.Column("unverified", sa.Boolean(), server_default=sa.text("false"), nullable=False)]


def upgrade() -> None:
    for column in _columns():
        op.add_column("subscription", column)


def downgrade() -> None:
    for column in _columns():
        op.drop_column("subscription", column.name)

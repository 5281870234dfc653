"""For whom a resource and a version are before everybody may see them; whose patient a subscription may hear of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("resource", "version")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("audience", ARRAY(sa.Text()), nullable=True))
    op.add_column("subscription", sa.Column("patient", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("subscription", "patient")
    for table in _TABLES:
        op.drop_column(table, "audience")

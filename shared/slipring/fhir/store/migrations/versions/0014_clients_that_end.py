"""Clients that end, publish their keys, or are about one patient; and the tokens refused before they end."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("jwks_uri", "patient"):
        op.add_column("client", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("client", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "revocation",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value"),
    )


def downgrade() -> None:
    op.drop_table("revocation")
    for name in ("ended_at", "patient", "jwks_uri"):
        op.drop_column("client", name)

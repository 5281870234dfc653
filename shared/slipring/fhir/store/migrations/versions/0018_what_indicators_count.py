"""What indicators count, beside the search rows of the resources it is read from."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("remark", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("scanner", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("second", sa.BigInteger(), nullable=False),
    )
    op.create_index("counted_key", "counted", ["key"])
    op.create_index(
        "counted_at",
        "counted",
        ["population", "at"],
        postgresql_include=["marks", "value", "first", "second"],
        postgresql_where=sa.text("NOT remark"),
    )
    op.create_index("counted_member", "counted", ["population", "member"])
    op.create_index(
        "counted_remark", "counted", ["population", "member"], postgresql_where=sa.text("remark AND marks <> ''")
    )


def downgrade() -> None:
    op.drop_table("counted")

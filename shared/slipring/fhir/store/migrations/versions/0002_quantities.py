"""Search rows of numbers and amounts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_quantity",
        sa.Column("row", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("low", sa.Numeric(), nullable=False),
        sa.Column("high", sa.Numeric(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("search_quantity_high", "search_quantity", ["parameter", "high", "key"], unique=False)
    op.create_index("search_quantity_key", "search_quantity", ["key"], unique=False)
    op.create_index("search_quantity_low", "search_quantity", ["parameter", "low", "key"], unique=False)


def downgrade() -> None:
    op.drop_index("search_quantity_low", table_name="search_quantity")
    op.drop_index("search_quantity_key", table_name="search_quantity")
    op.drop_index("search_quantity_high", table_name="search_quantity")
    op.drop_table("search_quantity")

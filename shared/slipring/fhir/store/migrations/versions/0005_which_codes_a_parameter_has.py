"""Statistics of what goes with a parameter, and amounts indexed by their unit.

Taken apart, "a status" and "completed" are both rare; together they are most of the requests. A planner that does not
know that reads and sorts all of them for the newest twenty.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KNOWN = {
    "search_token": "parameter, code, system",
    "search_reference": "parameter, id, type",
    "search_quantity": "parameter, code, system",
}
_SIDES = ("low", "high")


def upgrade() -> None:
    for table, columns in _KNOWN.items():
        op.execute(f"CREATE STATISTICS {table}_content (ndistinct, mcv) ON {columns} FROM {table}")
        op.execute(f"ALTER STATISTICS {table}_content SET STATISTICS 500")
    for side in _SIDES:
        name = f"search_quantity_{side}"
        op.drop_index(name, table_name="search_quantity")
        op.create_index(name, "search_quantity", ["parameter", "code", side, "key"], unique=False)


def downgrade() -> None:
    for side in _SIDES:
        name = f"search_quantity_{side}"
        op.drop_index(name, table_name="search_quantity")
        op.create_index(name, "search_quantity", ["parameter", side, "key"], unique=False)
    for table in _KNOWN:
        op.execute(f"DROP STATISTICS {table}_content")

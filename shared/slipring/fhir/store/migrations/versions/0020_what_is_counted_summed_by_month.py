"""Sums of what indicators count by month beside those by day: a year is told by twelve of them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SUMS = """INSERT INTO counted_sum SELECT population, (at AT TIME ZONE 'UTC')::date, marks, counted_step(value),
  {sign} count(*), {sign} sum(first::numeric), {sign} sum(second::numeric), false FROM {rows} WHERE NOT remark GROUP BY 1, 2, 3, 4"""
_MONTHS = """INSERT INTO counted_month SELECT population, date_trunc('month', day::timestamp)::date, marks, step,
  sum(members), sum(first), sum(second), {folded} FROM {days} GROUP BY 1, 2, 3, 4"""


def upgrade() -> None:
    op.create_table(
        "counted_month",
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=True),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Numeric(), nullable=False),
        sa.Column("second", sa.Numeric(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
    )
    op.create_index("counted_month_day", "counted_month", ["population", "day"])
    op.create_index("counted_month_loose", "counted_month", ["population", "day"], postgresql_where=sa.text("NOT folded"))
    # Whoever writes while this runs would leave sums of days that no month has.
    op.execute("LOCK TABLE counted IN SHARE ROW EXCLUSIVE MODE")
    _follow(f"WITH days AS ({_SUMS} RETURNING *) {_MONTHS.format(folded='false', days='days')}")
    op.execute(_MONTHS.format(folded="true", days="counted_sum"))


def downgrade() -> None:
    _follow(_SUMS)
    op.drop_table("counted_month")


def _follow(sums: str) -> None:
    came, gone = (sums.format(sign=sign, rows=rows) for sign, rows in (("", "came"), ("-", "gone")))
    op.execute(f"""CREATE OR REPLACE FUNCTION counted_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_OP <> 'INSERT' THEN {gone}; END IF;
      IF TG_OP <> 'DELETE' THEN {came}; END IF;
      RETURN NULL; END $$""")

"""Sums of what indicators count by day, kept by the database itself with every row that comes, changes or goes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Where the value of a row lies: the number of bounds below it, of 25 to each power of ten.
_TENS = (
    1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.7, 3, 3.3, 3.6, 4, 4.5, 4.8, 5, 5.5, 6, 6.5, 7, 8, 9,
)  # fmt: skip
_BOUNDS = [f"-{one}e{power}" for power in range(5, -3, -1) for one in reversed(_TENS)]
_SUMS = """SELECT population, (at AT TIME ZONE 'UTC')::date, marks, counted_step(value),
  {sign} count(*), {sign} sum(first::numeric), {sign} sum(second::numeric), false FROM {rows} WHERE NOT remark GROUP BY 1, 2, 3, 4"""


def upgrade() -> None:
    op.create_table(
        "counted_sum",
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=True),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Numeric(), nullable=False),
        sa.Column("second", sa.Numeric(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
    )
    op.create_index("counted_sum_day", "counted_sum", ["population", "day"])
    op.create_index(
        "counted_value",
        "counted",
        ["population", "value"],
        postgresql_include=["at", "marks", "first", "second"],
        postgresql_where=sa.text("NOT remark AND value IS NOT NULL"),
    )
    op.create_index("counted_sum_loose", "counted_sum", ["population", "day"], postgresql_where=sa.text("NOT folded"))
    op.execute(f"""CREATE FUNCTION counted_step(value double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN {len(_BOUNDS)} - width_bucket(-value, '{{{",".join(_BOUNDS)}}}'::double precision[])""")
    came, gone = (f"INSERT INTO counted_sum {_SUMS.format(sign=sign, rows=rows)}" for sign, rows in (("", "came"), ("-", "gone")))
    op.execute(f"""CREATE FUNCTION counted_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_OP <> 'INSERT' THEN {gone}; END IF;
      IF TG_OP <> 'DELETE' THEN {came}; END IF;
      RETURN NULL; END $$""")
    for name, told in (
        ("came", "AFTER INSERT ON counted REFERENCING NEW TABLE AS came"),
        ("went", "AFTER DELETE ON counted REFERENCING OLD TABLE AS gone"),
        ("altered", "AFTER UPDATE ON counted REFERENCING OLD TABLE AS gone NEW TABLE AS came"),
    ):
        op.execute(f"CREATE TRIGGER counted_{name} {told} FOR EACH STATEMENT EXECUTE FUNCTION counted_changed()")
    op.execute(f"INSERT INTO counted_sum {_SUMS.format(sign='', rows='counted')}")


def downgrade() -> None:
    for name in ("came", "went", "altered"):
        op.execute(f"DROP TRIGGER counted_{name} ON counted")
    op.execute("DROP FUNCTION counted_changed()")
    op.execute("DROP FUNCTION counted_step(double precision)")
    op.drop_index("counted_value", "counted")
    op.drop_table("counted_sum")

"""Turns a table that stands into partitions of a month, with all its rows; used by version files only."""

from alembic import op

# Months that have rows, and the two to come; the rest is made ahead by the running program.
_MONTHS = """DO $$ DECLARE month timestamp; BEGIN
  FOR month IN SELECT DISTINCT date_trunc('month', {column} AT TIME ZONE 'UTC') FROM {table}_whole UNION
      SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month' FROM generate_series(0, 2) n ORDER BY 1 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)', '{table}_' || to_char(month, 'YYYY_MM'),
      month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
  END LOOP;
END $$"""


def partition_by_month(
    table: str, column: str, key: tuple[str, ...], indexes: dict[str, str], sequence: str = ""
) -> None:
    """Partition `table` by the month (UTC) of `column`, which becomes the last part of its primary key.

    `indexes`: name -> what follows `ON table`; they are made anew because a partitioned table's reach all its parts.
    """
    for name in indexes:
        op.execute(f"DROP INDEX {name}")
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_whole")
    op.execute(f"ALTER TABLE {table}_whole DROP CONSTRAINT {table}_pkey")
    op.execute(f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS) PARTITION BY RANGE ({column})")
    op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute(_MONTHS.format(table=table, column=column))
    op.execute(f"INSERT INTO {table} SELECT * FROM {table}_whole")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({', '.join((*key, column))})")
    for name, rest in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {table} {rest}")
    if sequence:  # else it would go with the old table
        op.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}.{key[0]}")
    op.execute(f"DROP TABLE {table}_whole")


def one_table_again(table: str, column: str, key: tuple[str, ...], indexes: dict[str, str], sequence: str = "") -> None:
    """Undo `partition_by_month`, with all rows."""
    op.execute(f"CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS)")
    op.execute(f"INSERT INTO {table}_whole SELECT * FROM {table}")
    if sequence:
        op.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}_whole.{key[0]}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_whole RENAME TO {table}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({', '.join(key)})")
    for name, rest in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {table} {rest}")

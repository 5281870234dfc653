"""The fan-out learns at once that a lane was opened, changed or closed; due timers are found by their moment alone."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What a delivery changes in a lane says nothing about whom it concerns; columns added later do, unless named here.
_OF_DELIVERY = (
    "status, error, last_number, delivered_number, next_attempt_at, failures, worker, lease_until, fence, life_at, sent_at, unverified"
)
_LANE = f"(to_jsonb({{row}}) - '{{{{{_OF_DELIVERY}}}}}'::text[], {{row}}.status = 'off')"


def upgrade() -> None:
    # The row of `mark` stays locked until the commit, so its counter rises in the order of the commits.
    op.execute("""CREATE FUNCTION lanes_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE format('INSERT INTO %I.mark AS m (name, value) VALUES (''lanes'', ''1'') ON CONFLICT (name)
        DO UPDATE SET value = (m.value::bigint + 1)::text', TG_TABLE_SCHEMA);
      RETURN NULL; END $$""")
    op.execute("CREATE TRIGGER lanes_opened AFTER INSERT OR DELETE ON subscription FOR EACH ROW EXECUTE FUNCTION lanes_changed()")
    op.execute(f"""CREATE TRIGGER lanes_altered AFTER UPDATE ON subscription FOR EACH ROW
      WHEN ({_LANE.format(row="OLD")} IS DISTINCT FROM {_LANE.format(row="NEW")}) EXECUTE FUNCTION lanes_changed()""")
    op.drop_index("timer_due", "timer")
    op.create_index("timer_due", "timer", ["due_at"])


def downgrade() -> None:
    op.drop_index("timer_due", "timer")
    op.create_index("timer_due", "timer", ["kind", "due_at"])
    op.execute("DROP TRIGGER lanes_altered ON subscription")
    op.execute("DROP TRIGGER lanes_opened ON subscription")
    op.execute("DROP FUNCTION lanes_changed()")

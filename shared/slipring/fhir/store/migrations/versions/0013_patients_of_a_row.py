"""Whom an audit row tells something about, also found from the row."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("audit_patient_row", "audit_patient", ["audit"])


def downgrade() -> None:
    op.drop_index("audit_patient_row", table_name="audit_patient")

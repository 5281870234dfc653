"""Seals over the audit rows, the keys that make them, and what each row says of the version it tells of; both by the month.

Rows of searches by POST were hashed with their body's digest but kept without it; they are hashed anew here, before they
are sealed for the first time.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from slipring.fhir.store.migrations.by_month import one_table_again, partition_by_month

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BY_TIME = {"audit_by_time": "(at, id)"}
_TABLES = ("seal", "audit_patient", "service_key", "service_secret")


def upgrade() -> None:
    for column in ("stored_sha256", "purpose"):
        op.add_column("audit", sa.Column(column, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_index("audit_by_time", "audit", ["at", "id"])
    partition_by_month("audit", "at", ("id",), _BY_TIME, "audit_id_seq")
    op.create_table(
        "seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.execute("ALTER TABLE seal ALTER COLUMN leaves SET STORAGE EXTERNAL")  # hashes do not get smaller
    partition_by_month("seal", "sealed_at", ("number",), {})
    op.create_table(
        "audit_patient",
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("audit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("patient", "audit"),
    )
    op.create_table(
        "service_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_jwk", JSONB(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("endorsed", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "service_secret",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("private_jwk", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    _hash_searches_anew()


def _hash_searches_anew() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+00:00' AS at, client, practitioner,"
            " interaction, resource, disclosed, parameters, body_sha256, request_id, outcome, content_sha256 FROM audit"
            " WHERE body_sha256 = '' AND interaction IN ('search', 'operation', 'history')"
        )
    ).fetchall()
    for row in rows:
        members = [
            row.at, row.client, row.practitioner, row.interaction, row.resource, list(row.disclosed), list(row.parameters),
            row.body_sha256, row.request_id, row.outcome,
        ]  # fmt: skip
        told = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).hexdigest()
        if told != row.content_sha256:
            connection.execute(sa.text("UPDATE audit SET content_sha256 = :told WHERE id = :id"), {"told": told, "id": row.id})


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    one_table_again("audit", "at", ("id",), _BY_TIME, "audit_id_seq")
    op.drop_index("audit_by_time", table_name="audit")
    for column in ("purpose", "stored_sha256"):
        op.drop_column("audit", column)

"""What a Backport subscription asks for, its first handshake, and whose rights decide what it is told."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXT, _LIST, _COUNT, _MOMENT = sa.Text(), postgresql.ARRAY(sa.Text()), sa.Integer(), sa.DateTime(timezone=True)
_COLUMNS: dict[str, tuple[Any, str | None]] = {  # name -> type and what stands in rows of before; None = NULL
    **dict.fromkeys(("topic", "content", "client", "practitioner"), (_TEXT, "''")),
    **dict.fromkeys(("filters", "scopes"), (_LIST, "'{}'")),
    **dict.fromkeys(("heartbeat_seconds", "timeout_seconds"), (_COUNT, "0")),
    "max_count": (_COUNT, "1"),
    "unverified": (sa.Boolean(), "false"),
    **dict.fromkeys(("ends_at", "life_at", "sent_at"), (_MOMENT, None)),
}


def upgrade() -> None:
    for name, (kind, given) in _COLUMNS.items():
        default = sa.text(given) if given else None
        op.add_column("subscription", sa.Column(name, kind, server_default=default, nullable=given is None))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("subscription", name)

"""Which accounts were open at a moment, by the trail of what administrators did to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import OpenAccount
from slipring.identity.keys import Reader, table

# An account opens with being added or unlocked, and closes with a lock or its end; what was said last counts.
_OPENS = "account-unlock"
_TURNS = (_OPENS, "account-lock", "account-end")


async def open_accounts(reader: Reader, schema: str, at: datetime) -> Sequence[OpenAccount]:
    """Each account by which somebody could sign in at the moment, also where he has several."""
    rows = await reader.fetch(
        f"SELECT a.practitioner, a.created_at, t.interaction, t.at FROM {table(schema, 'account')} a"
        f" LEFT JOIN (SELECT DISTINCT ON (resource) resource, interaction, at FROM {table(schema, 'audit')}"
        "   WHERE interaction = ANY($2::text[]) AND at <= $1 ORDER BY resource, at DESC, id DESC) t"
        " ON t.resource = 'account/' || a.name"
        " WHERE a.created_at <= $1 AND (a.ends_at IS NULL OR a.ends_at > $1) ORDER BY a.name",
        at,
        list(_TURNS),
    )
    return [
        OpenAccount(row["practitioner"], row["at"] or row["created_at"])
        for row in rows
        if row["interaction"] in (None, _OPENS)
    ]

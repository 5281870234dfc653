"""How a Subscription is shown: the stored text with the status that its delivery has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipring.fhir.intent import written_instant
from slipring.fhir.store.reading import Reader, Row
from slipring.fhir.text import splice


async def lanes_shown(reader: Reader, rows: Sequence[Row]) -> Mapping[str, str]:
    """The texts of Subscriptions by id; the stored versions stay as they are.

    The status is ours to say, and delivery moves it many times: that makes no versions.
    """
    states = await reader.fetch(
        "SELECT id, status, error FROM subscription WHERE id = ANY($1::text[])", [row.id for row in rows]
    )
    by_id = {state["id"]: state for state in states}
    return {row.id: _shown(row, by_id[row.id]) if row.id in by_id else row.text for row in rows}


def _shown(row: Row, lane: Mapping[str, str]) -> str:
    status, error = lane["status"], (lane["error"] or None) if lane["status"] == "error" else None
    tree = row.stored().resource
    if (tree.get("status"), tree.get("error")) == (status, error):
        return row.text
    at = written_instant(row.updated_at)
    members = {"status": status, "error": error}
    return splice(row.text, id=row.id, version=str(row.version), last_updated=at, members=members)

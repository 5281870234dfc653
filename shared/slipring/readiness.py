"""Whether one service can do its work now, and what keeps it from it: what `/health/ready` says."""

from __future__ import annotations

import asyncpg
from starlette.responses import JSONResponse, Response

from slipring.fhir.delivery.follow import Follower
from slipring.fhir.kernel import Kernel
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.store.migrations import HEAD

_STATE = """SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
  (SELECT max(version_num) FROM alembic_version) AS schema,
  (SELECT count(*) FROM follow WHERE filled AND as_of IS NOT NULL) AS filled"""


async def ready(kernel: Kernel, follower: Follower) -> Response:
    """Ready when the database answers and takes writes, its tables are known here, and the copies are filled and dated."""
    try:
        state = await kernel.store.pool.fetchrow(_STATE)
        full = kernel.store.full and not await kernel.store.has_room()
    except asyncpg.UndefinedTableError:
        return _not("the tables are missing", schema=None, known=HEAD)
    except UNAVAILABLE:
        return _not("no database")
    if (state["schema"] or "") < HEAD:
        return _not("the schema is behind this program", schema=state["schema"], known=HEAD)
    if state["read_only"]:
        return _not("the database takes no writes")
    if full:
        return _not("the database's disk is full")
    waiting = len(follower.sources) - state["filled"]
    if waiting > 0:
        return _not("filling copies", sources_waiting=waiting)
    if state["schema"] > HEAD:  # served all the same: migrations stay compatible with the release before
        return JSONResponse(
            {"status": "ready", "note": "the schema is newer than this program", "schema": state["schema"]}
        )
    return JSONResponse({"status": "ready"})


def _not(status: str, **more: object) -> Response:
    return JSONResponse({"status": status, **more}, 503)

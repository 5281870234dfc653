"""The delivery lane of an outside Subscription, written in the commit that writes the Subscription.

A changed lane keeps its numbers and what waits in it. Where it leads elsewhere, the new endpoint is asked by a
handshake before it is told anything.
"""

from __future__ import annotations

from dataclasses import astuple, fields, replace

import asyncpg

from slipring.fhir.channel_headers import MASK, kept_again, parted
from slipring.fhir.store.batch import Lane

_NAMES = [field.name for field in fields(Lane)]
_AT = {name: f"${number}" for number, name in enumerate(_NAMES, 1)}
# Who turns a lane off need not be who is told by it.
_RIGHTS = ("client", "practitioner", "scopes", "patient")
_TAKEN = [name for name in _NAMES if name not in ("id", "status", *_RIGHTS)]
_LEADS_ELSEWHERE = "(s.endpoint, s.headers, s.content) IS DISTINCT FROM ({endpoint}, {headers}, {content})"
_OPEN = f"""INSERT INTO subscription AS s ({", ".join(_NAMES)}, unverified, life_at)
  VALUES ({", ".join(_AT.values())}, {_AT["content"]} <> '', clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _TAKEN)},
    {", ".join(f"{name} = CASE WHEN {_AT['status']} = 'off' THEN s.{name} ELSE EXCLUDED.{name} END" for name in _RIGHTS)},
    unverified = {_AT["content"]} <> '' AND (s.unverified OR {_AT["status"]} = 'requested' OR {_LEADS_ELSEWHERE.format(**_AT)}),
    status = CASE WHEN {_AT["status"]} = 'off' THEN 'off' WHEN {_AT["content"]} = '' THEN 'active'
      WHEN {_AT["status"]} = 'requested' OR {_LEADS_ELSEWHERE.format(**_AT)} THEN 'requested' ELSE s.status END,
    searched_as = '', error = '', failures = 0, next_attempt_at = NULL, life_at = clock_timestamp()"""


async def open_lane(connection: asyncpg.Connection, lane: Lane) -> None:
    """Open a lane, or change the one that stands."""
    if not lane.content and lane.status == "requested":  # a plain rest-hook knows no handshake
        lane = replace(lane, status="active")
    if any(parted(header)[1] == MASK for header in lane.headers):
        standing = await connection.fetchval("SELECT headers FROM subscription WHERE id = $1 FOR UPDATE", lane.id)
        lane = replace(lane, headers=kept_again(lane.headers, standing or []))
    await connection.execute(_OPEN, *astuple(lane))

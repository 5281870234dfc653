"""Who was shown a resource: by the audit trail (reads and searches) and by what was delivered to subscribers."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.service import Receiver
from slipring.fhir.store.reading import Reader

_HOUSE = "slipring-%"  # the services themselves follow, they do not receive; a person who reads on our pages does
_OF = r"""SELECT DISTINCT client, practitioner FROM (
  SELECT a.client, a.practitioner FROM audit a
    WHERE a.at >= $3::timestamptz AND a.outcome < 400 AND (
      (a.interaction IN ('read', 'vread') AND starts_with(a.resource, $1::text || '/' || $2::text || '/_history/'))
      OR (a.interaction IN ('search', 'history') AND EXISTS (SELECT 1 FROM unnest(a.disclosed) AS d(one)
        WHERE d.one = $1::text || '/' || $2::text OR starts_with(d.one, $1::text || '/' || $2::text || '/_history/'))))
  UNION SELECT s.client, s.practitioner FROM delivery d JOIN subscription s ON s.id = d.subscription
    WHERE d.type = $1::text AND d.resource_id = $2::text AND d.event_at >= $3::timestamptz AND NOT s.internal
      AND d.delivered_at IS NOT NULL) AS told
  WHERE client <> '' AND (client NOT LIKE $4::text OR practitioner <> '') ORDER BY client, practitioner"""


async def of(reader: Reader, reference: str, since: datetime) -> list[Receiver]:
    """Each client once, with each person it acted for. Rare and by time: it reads the rows since then."""
    kind, _, name = reference.partition("/")
    return [Receiver(row["client"], row["practitioner"]) for row in await reader.fetch(_OF, kind, name, since, _HOUSE)]

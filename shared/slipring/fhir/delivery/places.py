"""How many decisions and errands run at once, and which of those due begin next: the most urgent, never behind others.

What is due waits in the database, in order of urgency, until it can begin. Some places are kept for the most urgent
(0): what is less urgent may hang, and there may be much of it, but never so much that nothing urgent can begin.
"""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.delivery.queue import LIVING

MOST_URGENT = 0

# The clock is read once, as a value to look up: asked row by row, it would be held against every armed timer.
_DUE = f"""(SELECT id FROM timer WHERE kind {{kind}} 'errand' AND urgency {{urgency}} {MOST_URGENT}
    AND due_at <= coalesce($3::timestamptz, (SELECT clock_timestamp())) AND id <> ALL($4::bigint[])
    AND (worker IS NULL OR lease_until < clock_timestamp() OR worker <> ALL ({LIVING}))
    ORDER BY urgency, due_at LIMIT {{limit}} FOR UPDATE SKIP LOCKED)"""


def _first(kind: str, limit: str) -> str:
    return _DUE.format(kind=kind, urgency="<=", limit=f"{limit}::bigint")


def _then(kind: str, limit: str, most: str, before: str) -> str:
    left = f"{most}::bigint - (SELECT count(*) FROM {before})"
    return _DUE.format(kind=kind, urgency=">", limit=f"greatest(0, least({limit}::bigint, {left}))")


# $1 worker, $2 lease, $3 a fake clock's time or NULL, $4 what runs here already; then the room of decisions and of errands.
CLAIM = f"""WITH urgent_decision AS MATERIALIZED {_first("<>", "$5")},
  decision AS MATERIALIZED {_then("<>", "$6", "$5", "urgent_decision")},
  urgent_errand AS MATERIALIZED {_first("=", "$7")},
  errand AS MATERIALIZED {_then("=", "$8", "$7", "urgent_errand")}
  UPDATE timer SET worker = $1, lease_until = clock_timestamp() + $2::interval, fence = fence + 1, attempts = attempts + 1
  WHERE id = ANY (ARRAY(SELECT id FROM urgent_decision UNION ALL SELECT id FROM decision UNION ALL
    SELECT id FROM urgent_errand UNION ALL SELECT id FROM errand))
  RETURNING *, extract(epoch FROM coalesce($3::timestamptz, clock_timestamp()) - due_at)::float AS late"""


@dataclass(slots=True)
class Places:
    """The places of one kind of work in one process."""

    most: int
    kept: int  # of these, for the most urgent
    urgent: int = 0  # under way
    others: int = 0

    @property
    def room(self) -> tuple[int, int]:
        """How many may begin: of the most urgent, or instead of all others."""
        left = max(0, self.most - self.urgent - self.others)
        return left, max(0, min(left, self.most - self.kept - self.others))

    @property
    def full(self) -> bool:
        """Whether something due may wait for a place."""
        return self.room[1] == 0

    def take(self, urgency: int) -> None:
        """One begins."""
        self._count(urgency, 1)

    def leave(self, urgency: int) -> None:
        """One is over."""
        self._count(urgency, -1)

    def _count(self, urgency: int, by: int) -> None:
        if urgency <= MOST_URGENT:
            self.urgent += by
        else:
            self.others += by

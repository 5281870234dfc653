"""Whoever asks about all clauses asks fewer at a time where an answer takes long, and is told how far it is."""

from __future__ import annotations

from typing import Any, cast

import httpx
from slipring.clauses.register import register
from slipring.client.clauses import Clauses
from slipring.client.wire import Wire


class Slow:
    """A server that takes so many seconds for each row."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.clock = seconds, 0.0
        self.shares: list[int] = []

    def asked(self, path: str, *given: dict[str, Any]) -> dict[str, Any]:
        """An empty answer, later."""
        rows = [one["valueString"] for one in given if one["name"] == "clause"]
        self.shares.append(len(rows))
        self.clock += self.seconds * len(rows)
        days = {"periodStart": "2026-07-01", "periodEnd": "2026-09-30"}
        head = [{"name": name, "valueDate": day} for name, day in days.items()]
        return {"parameter": [*head, {"name": "at", "valueInstant": "2026-10-01T00:00:00.000Z"}]}


def test_a_share_gets_smaller_while_answers_take_long() -> None:
    server, told = Slow(10), list[tuple[int, int]]()
    with httpx.Client() as http:
        clauses = Clauses(http, cast("Wire", server), now=lambda: server.clock)
        clauses.checked(tell=lambda done, of: told.append((done, of)))
    of = len(register().clauses)
    assert server.shares[:4] == [8, 4, 2, 1] and set(server.shares[4:]) == {1} and sum(server.shares) == of
    assert [done for done, _ in told] == sorted({done for done, _ in told}) and told[-1] == (of, of)

    quick = Slow(0.1)
    with httpx.Client() as http:
        Clauses(http, cast("Wire", quick), now=lambda: quick.clock).checked()
    assert set(quick.shares[:-1]) == {8}

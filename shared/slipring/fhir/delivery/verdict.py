"""What an answer means for a lane, which events go next, and how long to wait after a failure. Pure.

Any 2xx counts. What an endpoint refuses for its content is parked and keeps its number; everything else that fails says
that the endpoint is in error: its events wait in order until it takes them (decision 0019).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Literal

from slipring.fhir.delivery.sending import Answer

Verdict = Literal["delivered", "parked", "withheld", "failed"]
Event = dict[str, Any]  # a row of `delivery`

CONTENT_REFUSED = frozenset({400, 409, 413, 415, 422})
ITS_OWN_FAULT = 3  # an event that failed as often lets those about other resources go first
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 60.0
_LONGEST_PEER_WAIT_SECONDS = 2.0  # a sister service that is back must not wait for its alerts
_LONGEST_ASKED_SECONDS = 300.0  # of a Retry-After; who asks for more is tried all the same


def verdict(answer: Answer, *, internal: bool) -> Verdict:
    """Delivered, parked or failed; a following service is never done with what it did not take."""
    if answer.taken:
        return "delivered"
    return "parked" if answer.status in CONTENT_REFUSED and not internal else "failed"


def wait_seconds(failures: int, draw: Random, *, asked: float | None = None, internal: bool = False) -> float:
    """How long after this many failures in a row, at least one: doubled each time, scattered over the upper half.

    `asked` is the endpoint's own wish (Retry-After), followed within bounds.
    """
    longest = _LONGEST_PEER_WAIT_SECONDS if internal else _LONGEST_WAIT_SECONDS
    full = min(longest, _FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 10))
    wait = full * (0.5 + 0.5 * draw.random())
    return wait if asked is None or internal else max(wait, min(asked, _LONGEST_ASKED_SECONDS))


def next_batch(events: Sequence[Event], most: int, alone_until: int = 0) -> list[Event]:
    """The next notification of a lane in strict order: the first events, at most `most`.

    A repeat has exactly the events of the first attempt, or its key would stand for something else: so what was tried
    and what was not never go together. Up to number `alone_until` each goes by itself.
    """
    batch: list[Event] = []
    for event in events[:most]:
        if batch and (event["attempts"] > 0) != (batch[0]["attempts"] > 0):
            break
        batch.append(event)
        if event["number"] <= alone_until:
            break
    return batch


def next_heads(events: Sequence[Event], room: int) -> list[Event]:
    """The next events of a plain rest-hook: the first of each resource, `room` of them; those that failed often last."""
    heads: dict[int, Event] = {}
    for event in events:
        heads.setdefault(event["key"], event)
    return sorted(heads.values(), key=lambda event: (event["attempts"] // ITS_OWN_FAULT, event["number"]))[:room]

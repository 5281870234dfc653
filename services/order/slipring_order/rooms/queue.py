"""Who is next: the green channel first, then by urgency, then who came first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slipring_order.rooms.day import rooms_data


@dataclass(frozen=True, slots=True)
class Waiting:
    """A patient who is here and waits for his scan."""

    exam: str  # Task/...
    priority: str
    arrived_at: datetime
    scanner: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue, and how many of those who came later go first."""

    waiting: Waiting
    number: int  # from 1
    bumped_by: int


def in_order(waiting: Iterable[Waiting]) -> list[Place]:
    """The queue (CL02-A011:5.4.4.1): stat before urgent before routine, then by arrival; an unknown priority is routine."""
    queue = sorted(waiting, key=lambda one: (_rank(one.priority), one.arrived_at, one.exam))
    return [
        Place(one, number, sum(earlier.arrived_at > one.arrived_at for earlier in queue[: number - 1]))
        for number, one in enumerate(queue, 1)
    ]


def _rank(priority: str) -> int:
    order: list[str] = rooms_data()["priority"]["order"]
    return order.index(priority) if priority in order else len(order) - 1

"""A random sample that anybody can draw again from the seed, the list and the day. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

METHOD = "sha256-rank/1"


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn, and all that is needed to draw it again."""

    seed: str
    on: date
    population: int
    list_sha256: str  # of what was drawn from
    chosen: Mapping[str, tuple[str, ...]]  # by stratum, in the order of the draw
    method: str = METHOD


def drawn(strata: Mapping[str, Iterable[str]], size: int, seed: str, on: date) -> Draw:
    """So many of all strata together, each by its share and none left out while there is room.

    The members of a stratum are ranked by the SHA-256 of `seed|day|stratum|member` and the first are taken, so that no
    library's generator decides. Shares by largest remainder. The order in which the list is given does not matter.

    >>> drawn({"a": ["x", "y"]}, 1, "7", date(2026, 1, 1)).population
    2
    """
    members = {name: sorted(set(each)) for name, each in sorted(strata.items())}
    members = {name: each for name, each in members.items() if each}
    listed = "\n".join(f"{name}|{one}" for name, each in members.items() for one in each)
    shares = _shares({name: len(each) for name, each in members.items()}, size)
    chosen = {name: tuple(_ranked(name, each, seed, on)[: shares[name]]) for name, each in members.items()}
    population = sum(map(len, members.values()))
    return Draw(seed, on, population, hashlib.sha256(listed.encode()).hexdigest(), chosen)


def _ranked(stratum: str, members: Iterable[str], seed: str, on: date) -> list[str]:
    def rank(member: str) -> str:
        return hashlib.sha256(f"{seed}|{on.isoformat()}|{stratum}|{member}".encode()).hexdigest()

    return sorted(members, key=rank)


def _shares(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """How many of each stratum: one of each while there is room, the others by the largest remainder."""
    total = sum(counts.values())
    size = max(0, min(size, total))
    if size == 0:
        return dict.fromkeys(counts, 0)
    exact = {name: size * count / total for name, count in counts.items()}
    least = 1 if size >= len(counts) else 0
    shares = {name: max(int(exact[name]), least) for name in counts}
    while sum(shares.values()) > size:
        rich = [name for name in counts if shares[name] > least]
        shares[max(rich, key=lambda name: (shares[name] - exact[name], name))] -= 1
    while sum(shares.values()) < size:
        room = [name for name in counts if shares[name] < counts[name]]
        shares[max(room, key=lambda name: (exact[name] - shares[name], name))] += 1
    return shares

"""What contrast was given, and which reactions are thought to come from it: values without FHIR. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.qc.proportion import Interval, wilson

from slipring_consent.reactions.grades import GRADES

UNKNOWN = "unknown"
EXTRAVASATION = "extravasation"


@dataclass(frozen=True, slots=True)
class Given:
    """One injection of contrast that was given, wholly or in part."""

    reference: str
    patient: str
    agent: str = UNKNOWN  # ATC code
    lot: str = UNKNOWN  # agent and lot number
    at: datetime | None = None  # None where the record says no moment


@dataclass(frozen=True, slots=True)
class Reacted:
    """One reaction that happened."""

    reference: str
    suspects: tuple[str, ...]
    kind: str = ""  # allergic-like | physiologic | extravasation; empty when nobody has said it
    grade: str = ""  # mild | moderate | severe; empty when nobody has said it
    began_at: datetime | None = None  # None where the record says no moment

    def counts(self, least: str) -> bool:
        """Whether it is a reaction to the agent of at least this grade; an extravasation is none."""
        if self.kind == EXTRAVASATION:
            return False
        return not least or (self.grade in GRADES and GRADES.index(self.grade) >= GRADES.index(least))


@dataclass(frozen=True, slots=True)
class Rate:
    """What one group had: how much was given, to how many, and what came of it."""

    group: str
    given: int
    patients: int
    reacted: int  # injections after which there was at least one reaction that counts
    by_kind: Mapping[tuple[str, str], int]  # (kind, grade) -> reactions
    extravasations: int
    by_timing: Mapping[str, int]  # acute, late, very-late or unknown -> reactions that count
    interval: Interval | None
    cases: tuple[str, ...] = ()  # the reactions that count


Timed = Callable[[datetime | None, datetime | None], tuple[str, timedelta] | None]


def _untimed(given: datetime | None, began: datetime | None) -> tuple[str, timedelta] | None:
    return None


def rates(
    given: Iterable[Given], reactions: Iterable[Reacted], by: str, least: str = "", *, timed: Timed = _untimed
) -> list[Rate]:
    """The rate of each group, the most given first, and of all under an empty name at the end.

    `timed` says of two moments, given and begun, how long after it was and what that is called; None where it cannot.
    """
    every, after = list(given), _after(reactions)
    groups: dict[str, list[Given]] = {}
    for one in every:
        groups.setdefault(one.lot if by == "lot" else one.agent, []).append(one)
    found = [_rate(name, members, after, least, timed) for name, members in groups.items()]
    return [*sorted(found, key=lambda one: (-one.given, one.group)), _rate("", every, after, least, timed)]


def _after(reactions: Iterable[Reacted]) -> dict[str, list[Reacted]]:
    found: dict[str, list[Reacted]] = {}
    for one in reactions:
        for suspect in one.suspects:
            found.setdefault(suspect, []).append(one)
    return found


def _rate(name: str, members: list[Given], after: Mapping[str, list[Reacted]], least: str, timed: Timed) -> Rate:
    once = {one.reference: one for given in members for one in after.get(given.reference, ())}
    reacted = sum(any(one.counts(least) for one in after.get(given.reference, ())) for given in members)
    return Rate(
        group=name,
        given=len(members),
        patients=len({given.patient for given in members}),
        reacted=reacted,
        by_kind=Counter((one.kind, one.grade) for one in once.values() if one.counts(least)),
        extravasations=sum(one.kind == EXTRAVASATION for one in once.values()),
        by_timing=_by_timing(members, after, least, timed),
        interval=wilson(reacted, len(members)),
        cases=tuple(sorted(one.reference for one in once.values() if one.counts(least))),
    )


def _by_timing(members: list[Given], after: Mapping[str, list[Reacted]], least: str, timed: Timed) -> Mapping[str, int]:
    """Each reaction that counts, once: by the injection of the group that it followed soonest."""
    soonest: dict[str, tuple[timedelta, str]] = {}
    for given in members:
        for one in after.get(given.reference, ()):
            if not one.counts(least):
                continue
            found = timed(given.at, one.began_at)
            told = (found[1], found[0]) if found else (timedelta.max, UNKNOWN)
            soonest[one.reference] = min(told, soonest.get(one.reference, told))
    return Counter(code for _, code in soonest.values())

"""A storm: many findings in a minute while half of the providers fail and one hangs. Nobody is left untold, the urgent first.

Every requester has a webhook of a provider of his own, and his hospital's FHIR server as the next channel. Moments are of
this machine's one clock: when the hand-over was committed, when the first message came in, when the first was taken.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fhir.place import Street
from tests.support.alarm_street import Phone, a_way, alarm_street, cases, flagged, wakes

_FINE, _FAILING = 3, 4  # and one that hangs: half of eight fail
_PATIENCE_SECONDS = 120
LEVELS = ("1", "3", "3")  # one urgent finding among three


@dataclass(frozen=True)
class Told:
    """One case: its level, the seconds to the first message and to the first that was taken (None: never)."""

    level: str
    tried: float | None
    taken: float | None


async def measure(folder: Path, number: int, seconds: float, say: Callable[[str], None]) -> list[Told]:
    """Flag so many findings, evenly over so long."""
    phones = [
        Phone(f"127.0.1.{n}", mode) for n, mode in enumerate(["fine"] * _FINE + ["failing"] * _FAILING + ["hanging"], 1)
    ]
    servers = [Phone(f"127.0.2.{n}") for n in range(1, len(phones) + 1)]
    for phone in (*phones, *servers):
        await phone.listen()
    try:
        async with alarm_street(folder) as street:
            people = [await _person(street, *both) for both in zip(phones, servers, strict=True)]
            flags = await _all_flagged(street, people, number, seconds)
            told = await _until_told(street, phones, servers, flags)
    finally:
        for phone in (*phones, *servers):
            await phone.close()
    for level in sorted(set(LEVELS)):
        of_it = [one for one in told if one.level == level]
        tried, taken = _ranked([one.tried for one in of_it]), _ranked([one.taken for one in of_it])
        say(f"level {level}: {len(of_it)} cases, first attempt {tried}, first taken {taken}")
    lost, most = sum(one.taken is None for one in told), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(f"never told: {lost} of {len(told)}; {most} MB at most")
    return told


async def backlog(folder: Path, levels: Sequence[str], prefix: str) -> list[str]:
    """Findings of these levels are flagged while critical is down; back again, in which order of levels it rings first.

    No provider answers until all of it is waiting: the order is then that of the service, whatever this machine is doing.
    """
    phones = [Phone(f"127.0.3.{n}", "hanging") for n in range(1, 9)]
    for phone in phones:
        await phone.listen()
    try:
        async with alarm_street(folder, schema_prefix=prefix) as street:
            people = [await _person(street, phone, phone) for phone in phones]
            while await street["critical"].rows("SELECT 1 FROM follow HAVING count(*) < 3 OR NOT bool_and(filled)"):
                await asyncio.sleep(0.1)
        around = {"schema_prefix": prefix, "timeout": _PATIENCE_SECONDS}
        async with alarm_street(folder, asleep="critical", **around) as street:
            level_of = {
                (await flagged(street, people[position % len(people)], position, level))[0]: level
                for position, level in enumerate(levels)
            }
            await wakes(street, "critical")
            await _until_waiting(street, len(levels))
            for phone in phones:
                phone.answers()
            told = await _until_told(street, phones, [], dict.fromkeys(level_of, ("", 0.0)))
    finally:
        for phone in phones:
            await phone.close()
    rung = sorted((one.tried, finding) for finding, one in zip(level_of, told, strict=True) if one.tried is not None)
    return [level_of[finding] for _, finding in rung]


async def _until_waiting(street: Street, number: int) -> None:
    """Wait until so many cases are open, and the first message of each is under way or waits for a place."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while len(await cases(street)) < number:
        if time.monotonic() > end:
            raise TimeoutError(f"{len(await cases(street))} of {number} cases are open")
        await asyncio.sleep(0.1)


async def _person(street: Street, phone: Phone, server: Phone) -> str:
    person = f"Practitioner/{(await street['order'].make({'resourceType': 'Practitioner', 'active': True}))['id']}"
    await street["critical"].make(a_way(person, f"{phone.url}/ring"))
    await street["critical"].make(a_way(person, f"{server.url}/fhir", "fhir"))
    return person


async def _all_flagged(street: Street, people: list[str], number: int, seconds: float) -> dict[str, tuple[str, float]]:
    begun, flags = time.monotonic(), {}

    async def one(position: int) -> None:
        await asyncio.sleep(max(0.0, begun + position * seconds / number - time.monotonic()))
        level = LEVELS[position % len(LEVELS)]
        finding, at = await flagged(street, people[position % len(people)], position, level)
        flags[finding] = level, at

    await asyncio.gather(*(one(position) for position in range(number)))
    return flags


async def _until_told(
    street: Street, phones: list[Phone], servers: list[Phone], flags: dict[str, tuple[str, float]]
) -> list[Told]:
    """Wait until every case has reached somebody, or the patience is over."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        tried, taken = _firsts([*phones, *servers]), _firsts([one for one in (*phones, *servers) if one.mode == "fine"])
        of_finding = {
            case["focus"]["reference"].partition("/")[2]: f"Task/{case['id']}" for case in await cases(street)
        }
        if time.monotonic() > end or (len(of_finding) == len(flags) and set(of_finding.values()) <= set(taken)):
            break
        await asyncio.sleep(0.5)

    def after(moments: dict[str, float], finding: str) -> float | None:
        moment = moments.get(of_finding.get(finding, ""))
        return None if moment is None else moment - flags[finding][1]

    return [Told(level, after(tried, finding), after(taken, finding)) for finding, (level, _) in flags.items()]


def _firsts(phones: list[Phone]) -> dict[str, float]:
    found: dict[str, float] = {}
    for at, case in sorted(one for phone in phones for one in phone.got):
        found.setdefault(case, at)
    return found


def _ranked(spans: list[float | None]) -> str:
    known = sorted(span for span in spans if span is not None)
    if not known:
        return "none"
    p50, p99 = known[len(known) // 2], known[int(len(known) * 0.99)]
    return f"p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms"

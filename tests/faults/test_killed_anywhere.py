"""All connections end at once after any word to the database, as by kill -9: started again, each ends in the promise.

One story from the report's hand-over to the answer of a person: the hand-over is kept and followed, the case opens, its
message is sent, nobody answers, the next step rings, somebody reads back. It is cut after each word in turn: a sample
here, all of them by `--every-cut`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from slipring.runtime.postgres import ensure_running
from slipring_critical.cases.facts import CRITICAL_FINDING, case_facts, code_of

from tests.faults.cutting import wire_to
from tests.fhir.place import Street
from tests.support.alarm_street import Phone, a_way, alarm_street, cases, flagged, reads_back
from tests.support.ringing import a_doctor
from tests.support.short_ladder import short_ladder

_SAMPLE = 2
_PATIENCE_SECONDS = 40.0


class Story:
    """What the world outside knows: what was answered to it, what it heard."""

    def __init__(self) -> None:
        self.first, self.second = Phone("127.0.1.1"), Phone("127.0.1.2")
        self.person = ""
        self.handed_over = self.answered = False

    async def set_up(self, street: Street) -> None:
        """People and their routes."""
        made = await street["order"].make({"resourceType": "Practitioner", "active": True})
        self.person = f"Practitioner/{made['id']}"
        role = {**a_doctor("x")[1], "practitioner": {"reference": self.person}}
        await street["order"].make({name: value for name, value in role.items() if name != "id"})
        await street["critical"].make(a_way(self.person, f"{self.first.url}/ring"))
        await street["critical"].make(a_way("ward-duty", f"{self.second.url}/ring"))

    async def goes_on(self, street: Street) -> None:
        """From wherever it stands to the end; errors of a cut connection are for the caller."""
        if not self.handed_over and not await street["report"].found("Task?code=hand-over"):
            await flagged(street, self.person, 0, "1")
        self.handed_over = True
        await _until(lambda: self.first.got)
        if not self.answered:
            await _until(lambda: self.second.got)
            await reads_back(street, self.person)
            self.answered = True

    def holds(self, stand: list[dict[str, Any]], without: int) -> None:
        """The promise, and that nothing was done twice without saying so."""
        [case] = [one for one in stand if code_of(one.get("reasonCode"), CRITICAL_FINDING)]
        facts = case_facts(case)
        assert facts.state == "read-back-confirmed"
        assert [(one.round, one.number) for one in facts.history] == [(1, 1), (1, 2)], "each step once, none left out"
        assert without == 0


async def test_a_kill_after_any_word_to_the_database_ends_in_the_promise(
    data_dir: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    words = await _told(data_dir, tmp_path, "cut_never_", None)
    every = request.config.getoption("--every-cut")
    points = range(1, words) if every else [words * part // (_SAMPLE + 1) for part in range(1, _SAMPLE + 1)]
    for point in points:
        await _told(data_dir, tmp_path, f"cut_{point}_", point)
    print(f"\n{len(points)} of {words} words were the last")  # noqa: T201


async def _told(data_dir: Path, folder: Path, prefix: str, last_word: int | None) -> int:
    """The story with one cut; how many words it took."""
    around: dict[str, Any] = {
        "schema_prefix": prefix,
        "ladder": short_ladder(folder, answer=(0.02, 30), act=60),
    }
    story, words, before = Story(), 0, asyncio.all_tasks()
    await story.first.listen()
    await story.second.listen()
    try:
        async with wire_to(ensure_running(data_dir)) as (wire, dsn):
            with suppress(Exception):  # of a street that cannot even stop any more
                async with alarm_street(data_dir, dsn=dsn, **around) as street:
                    await story.set_up(street)
                    begun = wire.passed
                    wire.last_word = None if last_word is None else begun + last_word
                    going = asyncio.create_task(story.goes_on(street))
                    await _until(lambda: going.done() or wire.closed)
                    going.cancel()
                    await asyncio.gather(going, return_exceptions=True)
                    words = wire.passed - begun
            assert not [one for one in asyncio.all_tasks() - before if _is_ours(one)], "a stopped service goes on"
        async with alarm_street(data_dir, **around) as street:
            await story.goes_on(street)
            await street["critical"].running.worker.timers.settle()  # what is on its way cannot be called back
            heard = len(story.first.got) + len(story.second.got)
            await asyncio.sleep(0.5)
            assert len(story.first.got) + len(story.second.got) == heard, "it rings after the answer"
            story.holds(await cases(street), await _without_deadline(street))
    finally:
        await story.first.close()
        await story.second.close()
    return words


async def _without_deadline(street: Street) -> int:
    """As the engine's health tells it; a busy database may not say so at once."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while "open-case-without-deadline" not in (health := await street["critical"].running.engine.health()):
        assert time.monotonic() < end, health
        await asyncio.sleep(0.2)
    return int(health["open-case-without-deadline"])


def _is_ours(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "/slipring" in code.co_filename


async def _until(so: Any) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.05)

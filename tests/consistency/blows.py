"""What is done to servers and database while the clients write."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from typing import TYPE_CHECKING

from slipring.runtime.postgres import ensure_running

from tests.consistency.checker import FOREVER

if TYPE_CHECKING:
    from tests.consistency.run import Run


async def misfortune(run: Run) -> None:
    """Now and then a replica or the database dies without a word, and is started again as an operator would."""
    chance = random.Random(run.seed.random())
    turns = [_kill_database, _kill_replica, _restart_database]
    starting: list[asyncio.Task[None]] = []  # a replica that starts does not put off the next blow
    count = 0
    while time.monotonic() < run.ends_at - 2 or count < 2:
        await asyncio.sleep(chance.uniform(0.8, 2.0))
        turn = turns[count % len(turns)]
        end, run.ends_at = run.ends_at, FOREVER  # nobody goes home while a blow lasts
        if turn != _kill_replica:
            await turn(run, chance)
        elif not starting or starting[-1].done():
            starting.append(asyncio.create_task(turn(run, chance)))
        count += 1
        run.ends_at = max(end, time.monotonic() + 2)  # on a slow machine, too, somebody sees what came of it
    await asyncio.gather(*starting)


async def _kill_replica(run: Run, chance: random.Random) -> None:
    server = chance.choice(run.replicas)
    run.killed.append((time.monotonic(), "server killed"))
    await asyncio.to_thread(server.kill)
    for _ in range(5):  # one that starts while the database is away ends at once; whoever watches it starts it again
        try:
            await asyncio.to_thread(server.start, seconds=240)
        except AssertionError:
            await asyncio.sleep(1)
        else:
            return
    raise AssertionError("a replica does not start any more")


async def _kill_database(run: Run, _: random.Random) -> None:
    pid = int((run.data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])
    run.killed.append((time.monotonic(), "database killed"))
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(ensure_running, run.data_dir)


async def _restart_database(run: Run, _: random.Random) -> None:
    """SIGQUIT is what `pg_ctl stop -m immediate` sends: no checkpoint, recovery at the next start."""
    pid = int((run.data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])
    run.killed.append((time.monotonic(), "database stopped at once"))
    os.kill(pid, signal.SIGQUIT)
    await asyncio.to_thread(ensure_running, run.data_dir)

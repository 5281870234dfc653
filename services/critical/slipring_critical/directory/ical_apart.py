"""A calendar file is read in a process of its own, bounded in time and memory: a rule that never ends holds nobody up.

What comes over the pipe is JSON; the process has nothing of the service but the text. It ends itself when its time is over and
says which event it was at; one that cannot is ended.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from slipring_critical.directory.ical import Asked, Occurrence, Read, read_into
from slipring_critical.directory.ical_lines import Fault

_GRACE_SECONDS = 5.0


async def read_apart(text: str, asked: Asked) -> Read:
    """What a file says; a fault with the reason `time` when it could not be read within the bounds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", __name__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    question = {
        "text": text,
        "now": asked.now.isoformat(),
        "until": asked.until.isoformat(),
        "zone": asked.zone.key,
        "all_day_from": asked.all_day_from.isoformat(),
        "bounds": asked.bounds,
    }
    try:
        told, _ = await asyncio.wait_for(
            process.communicate(json.dumps(question).encode()), asked.bounds["seconds"] + _GRACE_SECONDS
        )
    except TimeoutError:
        told = b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(json.loads(told)) if told else Read(faults=[Fault("time")])


def _read(told: dict[str, Any]) -> Read:
    return Read(
        [
            Occurrence(
                **{
                    **one,
                    **{name: datetime.fromisoformat(one[name]) for name in ("start", "end")},
                    **{name: tuple(one[name]) for name in ("attendees", "declined")},
                }
            )
            for one in told["occurrences"]
        ],
        set(told["uids"]),
        told["cancelled"],
        told["later"],
        [Fault(**one) for one in told["faults"]],
    )


def answered(question: dict[str, Any]) -> dict[str, Any]:
    """What the process says; the alarm of its time interrupts it as TimeoutError."""
    at, read = (0, ""), Read()

    def begun(line: int, uid: str) -> None:
        nonlocal at
        at = line, uid

    moments = {name: datetime.fromisoformat(question[name]) for name in ("now", "until")}
    asked = Asked(**moments, zone=ZoneInfo(question["zone"]), all_day_from=time.fromisoformat(question["all_day_from"]),
                  bounds=question["bounds"])  # fmt: skip
    try:
        read_into(read, question["text"], asked, begun)
    except (TimeoutError, MemoryError, RecursionError):
        read.faults.append(Fault("time", *at))
    return {**asdict(read), "uids": sorted(read.uids)}


def _over(_number: int, _frame: Any) -> None:
    raise TimeoutError


def main() -> None:
    """Read a question from the standard input, and answer."""
    signal.signal(signal.SIGALRM, _over)
    question = json.load(sys.stdin)
    size = int(question["bounds"]["memory-mib"]) << 20
    with suppress(ValueError, OSError):  # not every system bounds it; time is bounded everywhere
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    signal.setitimer(signal.ITIMER_REAL, question["bounds"]["seconds"])
    told = answered(question)
    signal.setitimer(signal.ITIMER_REAL, 0)
    json.dump(told, sys.stdout, default=str)


if __name__ == "__main__":
    main()
